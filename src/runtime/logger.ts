/**
 * One JSON object a line: `time` (ISO 8601), `level`, `event` (a short fixed name), then the event's own fields.
 *
 * The control plane logs events, never requests, so plain synchronous formatting is good enough here.
 */

export type LogLevel = 'info' | 'warn' | 'error';

export interface Logger {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** @param write takes one line, newline included; standard output unless told. */
export function createLogger(write: (line: string) => void = (line) => void process.stdout.write(line)): Logger {
  const log = (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
  };
  return {
    info: (event, fields) => log('info', event, fields),
    warn: (event, fields) => log('warn', event, fields),
    error: (event, fields) => log('error', event, fields),
  };
}

export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };

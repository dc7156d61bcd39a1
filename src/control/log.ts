/**
 * The control plane's log: one JSON object a line with `time` (ISO 8601), `level`, `event` (a short fixed name), then the event's own fields.
 *
 * It is pino's format with names of our own, so that pino's tools read it. Lines are written at once and one by one: the control plane logs
 * events, never requests, and the line that says why a process died must not be in a buffer. Secrets cannot get in by mistake: they
 * are objects that show their source (model/secret.ts).
 */
import { pino } from 'pino';
import type { Logger } from '../runtime/logger.ts';

const OPTIONS = {
  base: null,
  messageKey: 'event',
  formatters: { level: (label: string) => ({ level: label }) },
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
} as const;

/** @param write takes one line, newline included; standard output unless told. */
export function createLogger(write: (line: string) => void = (line) => void process.stdout.write(line)): Logger {
  const log = pino(OPTIONS, { write });
  return {
    info: (event, fields = {}) => log.info(fields, event),
    warn: (event, fields = {}) => log.warn(fields, event),
    error: (event, fields = {}) => log.error(fields, event),
  };
}

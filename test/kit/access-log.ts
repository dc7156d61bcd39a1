/** A proxy's access log in a folder of its own test: the configuration for it, and what has been written. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { FakeClock } from '../../src/runtime/clock.ts';
import { until } from './signal.ts';

export type JsonLine = Readonly<Record<string, unknown>>;

export interface TestLog {
  readonly path: string;
  /** For the top level of a configuration. */
  readonly config: { readonly accessLog: Readonly<Record<string, unknown>> };
  lines(path?: string): string[];
  json(path?: string): JsonLine[];
  /** Lets time pass until there are as many lines. */
  until(clock: FakeClock, count: number, path?: string): Promise<void>;
}

export function testLog(t: Test, settings: Readonly<Record<string, unknown>> = {}): TestLog {
  const path = join(t.testdir(), 'access.log');
  const lines = (of = path): string[] => (existsSync(of) ? readFileSync(of, 'latin1').split('\n').slice(0, -1) : []);
  return {
    path,
    config: { accessLog: { path, ...settings } },
    lines,
    json: (of) => lines(of).map((line) => JSON.parse(line) as JsonLine),
    until: (clock, count, of = path) =>
      until(`${count} lines in ${of}`, () => {
        clock.advance(100);
        return lines(of).length >= count;
      }),
  };
}

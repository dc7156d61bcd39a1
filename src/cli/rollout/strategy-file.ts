/**
 * A strategy out of a file of its own, YAML or JSON: as it stands under `strategies: NAME:` in the configuration, or with these two lines around it.
 *
 * Only the form is looked at here. What a strategy may say is the server's to judge, which has the schema of its own release and names the place of
 * each fault in the strategy.
 */
import { readFileSync } from 'node:fs';
import { printable } from '../client/printable.ts';
import { UsageError } from '../command.ts';

/** @throws UsageError with line and column where the text cannot be read */
export async function readStrategyFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new UsageError(printable(`${file}:${line}:${col}: ${fault.message}`));
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isObject(value)) throw new UsageError(`${file} holds no strategy; it must be an object with "steps"`);
  return isObject(value.strategies) ? onlyOne(file, value.strategies) : value;
}

function onlyOne(file: string, strategies: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const [first, ...others] = Object.entries(strategies);
  if (first === undefined || !isObject(first[1])) throw new UsageError(`${file} has no strategy under "strategies"`);
  if (others.length === 0) return first[1];
  const names = Object.keys(strategies).join(', ');
  throw new UsageError(
    `${file} has ${others.length + 1} strategies (${printable(names)}); a file for --strategy-file has one`,
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`--strategy-file: cannot read ${file}: ${code === 'ENOENT' ? 'no such file' : code}`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads JSON bodies more strictly than `JSON.parse`: a key given twice is refused, and so is `__proto__`; faults have a position.
 *
 * `{"v1": 90, "v1": 10}` has a meaning only to whoever knows which of the two counts, and an operator who writes it means neither. The text is
 * parsed first, so the scan for keys only sees valid JSON and needs no grammar of its own: strings, braces and brackets are enough.
 */
import { OperationError } from '../problems.ts';

/** @returns undefined for a body of white space. @throws OperationError invalid_request */
export function parseJsonBody(text: string): unknown {
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refused(`The body is not JSON: ${placed((error as Error).message, text)}.`);
  }
  const key = doubtfulKey(text);
  if (key !== null) throw refused(key.message, key.field);
  return value;
}

const refused = (message: string, field = ''): OperationError =>
  new OperationError('invalid_request', message, [{ field, message }]);

function placed(message: string, text: string): string {
  if (/line \d+ column \d+/.test(message)) return message;
  const lines = text.split('\n');
  return `${message} (line ${lines.length} column ${lines.at(-1)!.length + 1})`;
}

interface Level {
  /** Null in lists. */
  readonly keys: Set<string> | null;
  awaitsKey: boolean;
  /** Key or index of where it stands in its parent. */
  at: string;
  index: number;
}

function doubtfulKey(text: string): { field: string; message: string } | null {
  const levels: Level[] = [];
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g)) {
    const level = levels.at(-1);
    if (token === '{') levels.push({ keys: new Set(), awaitsKey: true, at: '', index: 0 });
    else if (token === '[') levels.push({ keys: null, awaitsKey: false, at: '0', index: 0 });
    else if (token === '}' || token === ']') levels.pop();
    else if (level === undefined) continue;
    else if (token === ',') {
      level.awaitsKey = level.keys !== null;
      if (level.keys === null) level.at = String(++level.index);
    } else if (level.awaitsKey && level.keys !== null) {
      const key = JSON.parse(token) as string;
      level.at = key;
      level.awaitsKey = false;
      if (level.keys.has(key))
        return { field: place(levels), message: `The key ${JSON.stringify(key)} is given twice.` };
      if (key === '__proto__') return { field: place(levels), message: 'The key "__proto__" is not allowed.' };
      level.keys.add(key);
    }
  }
  return null;
}

/** Only of a key that is refused: with one for every key, a deep body would take the square of its depth. */
const place = (levels: readonly Level[]): string =>
  levels.map(({ at }) => `/${at.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** A whole number of an option, or null where it was left out; a mistyped one is a wrong call before anything is asked of the server. */
import { UsageError } from '../command.ts';

export function readCount(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${option} must be a whole number, not ${JSON.stringify(text)}`);
}

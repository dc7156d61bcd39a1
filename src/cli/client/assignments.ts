/**
 * `NAME=VALUE` words, and the shares among their values. What the names mean is the server's to judge; here only what cannot be sent is refused.
 */
import { parsePercent } from '../../control/config/units.ts';
import { UsageError } from '../command.ts';

/** @param form as the help writes it, `LANE=PERCENT`. */
export function readAssignments(words: readonly string[], form: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const word of words) {
    const [, name, value] = /^([^=]+)=(.+)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`${JSON.stringify(word)} is not of the form ${form}`);
    if (values.has(name)) throw new UsageError(`${name} is given twice`);
    values.set(name, value);
  }
  return values;
}

/** `12.5` and `12.5%` are both 12.5, `on` is 100 and `off` 0 where `switches` says so. */
export function readShare(text: string, what: string, switches = false): number {
  if (switches && /^(on|true)$/.test(text)) return 100;
  if (switches && /^(off|false)$/.test(text)) return 0;
  const value = parsePercent(text.endsWith('%') ? text : `${text}%`);
  if (value !== null && value <= 100) return value;
  const words = switches ? 'on, off or a percentage' : 'a percentage';
  throw new UsageError(`${what} must be ${words} from 0 to 100, not ${JSON.stringify(text)}`);
}

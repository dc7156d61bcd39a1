/**
 * What a route changes about the fields of a message: takes some off, puts some on.
 *
 * In effect: remove, then set, then add. Lines that are removed or set are marked in the block, so that writing the message passes them over
 * like hop-by-hop fields, and what is set and added is one text that is settled with the snapshot. So a message without any of the fields
 * pays for a few look-ups, and none pays for building headers.
 *
 * A field with a number of its own is found by it. Others are compared by name: the X-Forwarded-* fields, which share a number, and whatever
 * found no place in the table of names. Fields that frame the message or that Sluice writes itself cannot be edited; the configuration
 * refuses them.
 *
 * @hotpath bench/micro/routes.ts
 */
import type { HeaderEdits } from '../../model/route-config.ts';
import { type FieldNames, NOMINATED, UNKNOWN } from '../http1/field-names.ts';
import type { FieldBlock } from '../http1/fields.ts';

export class HeaderEditor {
  /** Complete field lines to append, those of `set` before those of `add`. */
  readonly lines: string;
  /** Numbers of the fields to take off. */
  readonly #numbered: readonly number[];
  /** Lower-case names of the fields to take off that have no number. */
  readonly #named: readonly string[];
  readonly #all: readonly string[];
  readonly #names: FieldNames;

  constructor(edits: HeaderEdits, names: FieldNames) {
    this.lines = fieldLines(edits.set) + fieldLines(edits.add);
    const off = new Set<string>();
    for (const [name] of edits.set) off.add(name.toLowerCase());
    for (const name of edits.remove) off.add(name.toLowerCase());
    const list = Array.from(off);
    this.#all = list;
    this.#names = names;
    this.#named = list.filter((name) => names.idOf(name) === UNKNOWN);
    this.#numbered = list.map((name) => names.idOf(name)).filter((id) => id !== UNKNOWN);
  }

  /**
   * Marks what is to go in `block`. @returns the lines to append.
   *
   * @param names that numbered the block's fields: not always the editor's own, where a new snapshot came while the request was in flight and
   * the numbers had run out.
   */
  apply(block: FieldBlock, names: FieldNames): string {
    if (names !== this.#names) {
      for (let i = 0; i < this.#all.length; i++) block.renumberNamed(this.#all[i]!, NOMINATED);
      return this.lines;
    }
    for (let i = 0; i < this.#numbered.length; i++) {
      const id = this.#numbered[i]!;
      if (block.has(id)) block.renumber(id, NOMINATED);
    }
    for (let i = 0; i < this.#named.length; i++) block.renumberNamed(this.#named[i]!, NOMINATED);
    return this.lines;
  }
}

export const fieldLines = (fields: readonly (readonly [name: string, value: string])[]): string =>
  fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');

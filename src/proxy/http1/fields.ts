/**
 * The field lines of one head, as offsets into its text, and the scanner that validates and indexes them in one pass.
 *
 * No header object is built. A line is a row of five numbers; the few fields that Sluice reads are found through `index` by their
 * number ({@link FieldNames}); forwarding slices the text between the lines that must go. One block serves all messages of a worker,
 * since a head is parsed and used in the same turn of the event loop.
 *
 * Rejected: one `indexOf` per delimiter. It is as fast on long values, but each byte has to be looked at anyway to refuse control
 * characters, and short headers dominate.
 *
 * @hotpath bench/micro/request-head.ts
 */
import { type FieldNames, UNKNOWN } from './field-names.ts';
import { COLON, CR, FIELD_CHAR, HTAB, LF, SP, TOKEN_LOWER } from './grammar.ts';

/** Results of scanning and parsing that are not an offset. */
export const INCOMPLETE = 0;
export const FAULT = -1;
export const TOO_MANY = -2;

/** Columns of a row. */
export const NAME = 0;
export const NAME_END = 1;
export const VALUE = 2;
export const VALUE_END = 3;
export const ID = 4;
const COLUMNS = 5;

const MAX_IDS = 256;

export class FieldBlock {
  /** The head as latin1 text; rows are offsets into it. Empty until the head is complete. */
  text = '';
  count = 0;
  /** Offset just behind the last field line. */
  fieldsEnd = 0;
  readonly rows: Int32Array;
  readonly maxCount: number;
  /** Row of the first line with a field number, plus one; 0 where there is none. */
  readonly index = new Int16Array(MAX_IDS);
  /** Bit `id` is set where a field with a number below 31 stands more than once. */
  repeated = 0;

  constructor(maxCount: number) {
    this.maxCount = maxCount;
    this.rows = new Int32Array((maxCount + 1) * COLUMNS);
  }

  has(id: number): boolean {
    return this.index[id] !== 0;
  }

  isRepeated(id: number): boolean {
    return (this.repeated & (1 << id)) !== 0;
  }

  /** Offset into `rows` of the first line with this number; only where `has(id)`. */
  rowOf(id: number): number {
    return (this.index[id]! - 1) * COLUMNS;
  }

  /** Value of the first line with this number, empty where there is none. */
  value(id: number): string {
    const at = this.index[id]!;
    if (at === 0) return '';
    const row = (at - 1) * COLUMNS;
    return this.text.slice(this.rows[row + VALUE]!, this.rows[row + VALUE_END]!);
  }

  /** The values of all lines with this number, joined as RFC 9110 5.2 says. */
  joined(id: number): string {
    if (id > 30 || !this.isRepeated(id)) return this.value(id);
    let out = '';
    for (let i = 0; i < this.count; i++) {
      const row = i * COLUMNS;
      if (this.rows[row + ID] !== id) continue;
      const value = this.text.slice(this.rows[row + VALUE]!, this.rows[row + VALUE_END]!);
      out = out === '' ? value : `${out}, ${value}`;
    }
    return out;
  }

  /** Gives every line with this number another one; used to have lines dropped that their number alone would keep. */
  renumber(from: number, to: number): void {
    for (let i = 0; i < this.count; i++) {
      if (this.rows[i * COLUMNS + ID] === from) this.rows[i * COLUMNS + ID] = to;
    }
    this.index[from] = 0;
  }

  /** The same for every number that `from` marks. */
  renumberAll(from: Uint8Array, to: number): void {
    for (let i = 0, row = ID; i < this.count; i++, row += COLUMNS) {
      const id = this.rows[row]!;
      if (from[id] === 0) continue;
      this.rows[row] = to;
      this.index[id] = 0;
    }
  }

  /** Gives every line of a field that has no number of its own another one, by its lower-case name. */
  renumberUnknown(name: string, to: number): void {
    for (let i = 0; i < this.count; i++) {
      const row = i * COLUMNS;
      if (this.rows[row + ID] === UNKNOWN && this.nameOf(i).toLowerCase() === name) this.rows[row + ID] = to;
    }
  }

  /** The field lines without those whose number `drop` marks, each with its CRLF. */
  keep(drop: Uint8Array): string {
    const { rows, count, text } = this;
    const end = this.fieldsEnd;
    let out = '';
    let from = count === 0 ? end : rows[NAME]!;
    for (let i = 0, row = 0; i < count; i++, row += COLUMNS) {
      if (drop[rows[row + ID]!] === 0) continue;
      const start = rows[row]!;
      if (start > from) out += text.slice(from, start);
      from = i + 1 < count ? rows[row + COLUMNS]! : end;
    }
    return from < end ? out + text.slice(from, end) : out;
  }

  /** Forgets the index of the last head; the rows are simply overwritten. */
  reset(): void {
    for (let i = 0, row = ID; i < this.count; i++, row += COLUMNS) this.index[this.rows[row]!] = 0;
    this.count = 0;
    this.repeated = 0;
  }

  /** The same for every line with this lower-case name, whatever its number. */
  renumberNamed(name: string, to: number): void {
    for (let i = 0; i < this.count; i++) {
      if (this.nameOf(i).toLowerCase() !== name) continue;
      const row = i * COLUMNS;
      this.index[this.rows[row + ID]!] = 0;
      this.rows[row + ID] = to;
    }
  }

  idAt(i: number): number {
    return this.rows[i * COLUMNS + ID]!;
  }

  valueAt(i: number): string {
    return this.text.slice(this.rows[i * COLUMNS + VALUE]!, this.rows[i * COLUMNS + VALUE_END]!);
  }

  nameOf(i: number): string {
    return this.text.slice(this.rows[i * COLUMNS + NAME]!, this.rows[i * COLUMNS + NAME_END]!);
  }
}

/**
 * Scans field lines from `pos` up to and including the empty line, into `block`, with offsets relative to `base`.
 *
 * @returns the offset behind the empty line, INCOMPLETE, FAULT or TOO_MANY. obs-fold, bare CR or LF, space before the colon, empty
 * or non-token names and control characters are faults.
 */
export function scanFields(
  block: FieldBlock,
  names: FieldNames,
  buf: Uint8Array,
  from: number,
  end: number,
  base: number,
): number {
  block.reset();
  const rows = block.rows;
  let pos = from;
  let row = 0;
  for (;;) {
    if (pos >= end) return INCOMPLETE;
    let c = buf[pos]!;
    if (c === CR) {
      if (pos + 1 >= end) return INCOMPLETE;
      if (buf[pos + 1] !== LF) return FAULT;
      block.fieldsEnd = pos - base;
      return pos + 2;
    }
    const name = pos;
    let hash = 0;
    let lower = TOKEN_LOWER[c]!;
    while (lower !== 0) {
      hash = (Math.imul(hash, 31) + lower) | 0;
      if (++pos >= end) return INCOMPLETE;
      c = buf[pos]!;
      lower = TOKEN_LOWER[c]!;
    }
    if (c !== COLON || pos === name) return FAULT;
    const nameEnd = pos++;
    while (pos < end && (buf[pos] === SP || buf[pos] === HTAB)) pos++;
    const value = pos;
    while (pos < end && FIELD_CHAR[buf[pos]!] === 1) pos++;
    if (pos + 1 >= end) return pos < end && buf[pos] !== CR ? FAULT : INCOMPLETE;
    if (buf[pos] !== CR || buf[pos + 1] !== LF) return FAULT;
    let valueEnd = pos;
    while (valueEnd > value && (buf[valueEnd - 1] === SP || buf[valueEnd - 1] === HTAB)) valueEnd--;
    pos += 2;
    if (block.count === block.maxCount) return TOO_MANY;
    const id = names.lookup(buf, name, nameEnd, hash);
    rows[row + NAME] = name - base;
    rows[row + NAME_END] = nameEnd - base;
    rows[row + VALUE] = value - base;
    rows[row + VALUE_END] = valueEnd - base;
    rows[row + ID] = id;
    row += COLUMNS;
    block.count++;
    if (id !== UNKNOWN) {
      if (block.index[id] === 0) block.index[id] = block.count;
      else if (id < 31) block.repeated |= 1 << id;
    }
  }
}

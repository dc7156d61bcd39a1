/**
 * Counts downstream connections over all workers, in all and per client address, for the two connection limits.
 *
 * Each worker adds to its own section of a shared table and reads the others', so there is no lock, and the section of a worker that
 * died is simply cleared. Addresses are counted in two hashed rows and the smaller of the two counts holds (a count-min sketch): it
 * never counts too little, and with 8,192 slots a row too much only for an address unlucky in both. The hash is salted per process,
 * so that nobody can choose addresses that collide with a victim's.
 */
import { LEDGER_ROW, LEDGER_SECTION, LEDGER_TOTAL } from '../model/connection-table.ts';

export class ConnectionLedger {
  readonly #table: Int32Array;
  readonly #workers: number;
  readonly #base: number;
  readonly #salt: number;

  /** @param worker index of the section to write. @param salt the same in all workers of a process. */
  constructor(table: Int32Array, worker: number, salt: number) {
    this.#table = table;
    this.#workers = table.length / LEDGER_SECTION;
    this.#base = worker * LEDGER_SECTION;
    this.#salt = salt | 0;
  }

  get total(): number {
    return this.#sum(LEDGER_TOTAL);
  }

  /** Upper bound of the open connections from an address; exact but for a double collision. */
  of(address: string): number {
    const hash = this.#hash(address);
    return Math.min(this.#sum(firstSlot(hash)), this.#sum(secondSlot(hash)));
  }

  add(address: string, by: 1 | -1): void {
    const hash = this.#hash(address);
    this.#bump(LEDGER_TOTAL, by);
    this.#bump(firstSlot(hash), by);
    this.#bump(secondSlot(hash), by);
  }

  #bump(slot: number, by: number): void {
    const at = this.#base + slot;
    this.#table[at] = this.#table[at]! + by;
  }

  #sum(slot: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#workers; worker++) sum += this.#table[worker * LEDGER_SECTION + slot]!;
    return sum;
  }

  #hash(address: string): number {
    let hash = this.#salt;
    for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }
}

const firstSlot = (hash: number): number => hash & (LEDGER_ROW - 1);
const secondSlot = (hash: number): number => LEDGER_ROW + ((hash >>> 16) & (LEDGER_ROW - 1));

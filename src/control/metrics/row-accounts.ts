/**
 * Totals by owner over rows of shared memory that change hands, so that what is exposed as a counter never falls and never jumps.
 *
 * Rows are found by a version's id. Ids are used again when versions come and go, and the workers' counts in a row go on from wherever they
 * stand: nobody may reset them while workers write. So the difference is kept here:
 *
 *     total(owner) = carried + reading(row)         take over a row:  carried −= reading      give it up:  carried += reading
 *
 * An owner that is no longer configured keeps its row until somebody else takes it, so what its last requests counted is its own; requests
 * that end even later, on workers that still run an older snapshot, count for the successor. An owner that returns goes on where it
 * was. So that names which come and go for ever do not fill the memory, KEPT departed versions are remembered; one that returns after
 * that begins at 0, which Prometheus takes for a restart.
 *
 * An owner is a part of a version, such as its time in one lane: a version that moves from canary to stable has two totals, and
 * the errors that moved it back do not vanish with its lane. All parts are forgotten together.
 *
 * Rejected: subtracting from the shared memory (two writers), and one row per name for ever (the tables are finite).
 */

/** Departed versions that are remembered. */
export const KEPT = 1_024;

/** Equal stretches of several arrays, one array per worker. */
export interface Rows {
  readonly arrays: readonly Float64Array[];
  /** Index of a row's first number. */
  readonly start: (row: number) => number;
  readonly length: number;
}

export interface Owner {
  readonly row: number;
  readonly version: string;
  readonly part: string;
}

interface Account {
  row: number | null;
  readonly carried: Float64Array;
}

export class RowAccounts {
  readonly #rows: Rows;
  readonly #versions = new Map<string, Map<string, Account>>();
  readonly #departed = new Set<string>();
  readonly #holders = new Map<number, Account>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** Whose the rows are from now on; call before anybody counts for a new owner. */
  apply(owners: readonly Owner[]): void {
    for (const owner of owners) this.#take(owner.row, this.#account(owner));
    const present = new Set(owners.map(({ version }) => version));
    for (const version of this.#versions.keys()) {
      if (present.has(version)) this.#departed.delete(version);
      else this.#departed.add(version);
    }
    for (const version of this.#departed) {
      if (this.#departed.size <= KEPT) break;
      this.#departed.delete(version);
      this.#versions.delete(version);
    }
  }

  /** Sums over all workers by part of the version, including parts that it no longer counts for. */
  totals(version: string): [part: string, total: Float64Array][] {
    return Array.from(this.#versions.get(version) ?? [], ([part, { row, carried }]) => {
      const total = carried.slice();
      if (row !== null) this.#add(total, row, 1);
      // Sums of fractions may come out a hair below nothing.
      for (let i = 0; i < total.length; i++) if (total[i]! < 0) total[i] = 0;
      return [part, total];
    });
  }

  #account({ version, part }: Owner): Account {
    let parts = this.#versions.get(version);
    if (parts === undefined) {
      parts = new Map();
      this.#versions.set(version, parts);
    }
    let account = parts.get(part);
    if (account === undefined) {
      account = { row: null, carried: new Float64Array(this.#rows.length) };
      parts.set(part, account);
    }
    return account;
  }

  #take(row: number, account: Account): void {
    const holder = this.#holders.get(row);
    if (holder === account) return;
    if (holder !== undefined) this.#giveUp(holder, row);
    if (account.row !== null) this.#giveUp(account, account.row);
    this.#add(account.carried, row, -1);
    account.row = row;
    this.#holders.set(row, account);
  }

  #giveUp(account: Account, row: number): void {
    this.#add(account.carried, row, 1);
    account.row = null;
    this.#holders.delete(row);
  }

  #add(into: Float64Array, row: number, sign: number): void {
    const at = this.#rows.start(row);
    for (const array of this.#rows.arrays) {
      for (let i = 0; i < into.length; i++) into[i] = into[i]! + sign * array[at + i]!;
    }
  }
}

/**
 * The chain of hashes over the audit rows, and what finds a break in it.
 *
 * Each row has the hash of the row before and its own, which is SHA-256 over one JSON text of everything else in the row, the former
 * included. So a row cannot be changed, taken out, put in or moved without every later hash being wrong. The text is hashed as it is stored
 * (`before` and `after` as the strings that they are in the table), which leaves nothing to interpret: `docs/state.md` shows how to
 * recompute it with two commands. A signature would need a key that whoever can write the file must not have; on one machine there is no
 * such place, so what protects the end of the chain is a head that was noted elsewhere.
 *
 * A chain that was pruned begins behind its anchor, number and hash of the last row that was forgotten. The anchor is protected by a row
 * of the chain itself: pruning is audited like any other change, and the latest such row must name this anchor.
 */
import { hash } from 'node:crypto';
import type { AuditVerdict } from './store.ts';

/** What a row continues. */
export interface ChainPoint {
  readonly seq: number;
  readonly hash: string;
}

export const CHAIN_START: ChainPoint = { seq: 0, hash: '0'.repeat(64) };

/** Of the row that pruning writes. */
export const PRUNE_ACTION = 'audit.prune';

/** A row as it is in the table: `before` and `after` are JSON texts. */
export interface StoredAudit {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly role: string;
  readonly address: string;
  readonly requestId: string;
  readonly action: string;
  readonly target: string;
  readonly before: string;
  readonly after: string;
  readonly reason: string;
  readonly previous: string;
  readonly hash: string;
}

/** The keys are in alphabetical order, nothing is between them, and nobody may reorder them: every chain ever written rests on this text. */
export function hashOf(row: Omit<StoredAudit, 'hash'>): string {
  const { action, actor, address, after, at, before, previous, reason, requestId, role, seq, target } = row;
  const text = { action, actor, address, after, at, before, previous, reason, requestId, role, seq, target };
  return hash('sha256', JSON.stringify(text));
}

/** Goes through a chain once, row by row; after the first fault the rest is only counted. */
export class ChainVerifier {
  readonly #anchor: ChainPoint;
  /** `after` of the latest row about pruning. */
  #pruned: string | null = null;
  #last: ChainPoint;
  #rows = 0;
  #fault: { readonly seq: number; readonly message: string } | null = null;

  constructor(anchor: ChainPoint) {
    this.#anchor = anchor;
    this.#last = anchor;
  }

  add(row: StoredAudit): void {
    this.#rows++;
    if (this.#fault !== null) return;
    this.#fault = this.#check(row);
    this.#last = row;
    if (row.action === PRUNE_ACTION) this.#pruned = row.after;
  }

  /** The next row cannot be read at all. */
  unreadable(why: string): void {
    this.#fault ??= { seq: this.#last.seq + 1, message: `this row cannot be read: ${why}` };
  }

  /** @param head what the store noted of its last row; null where there is no such note. */
  finish(head: ChainPoint | null): AuditVerdict {
    this.#fault ??= this.#checkAnchor() ?? this.#checkHead(head);
    const verdict = { ok: this.#fault === null, rows: this.#rows, head: this.#last.hash };
    return this.#fault === null ? verdict : { ...verdict, fault: this.#fault };
  }

  #check(row: StoredAudit): { seq: number; message: string } | null {
    const expected = this.#last.seq + 1;
    if (row.seq !== expected) {
      const missing = row.seq - 1 === expected ? `row ${expected} is` : `rows ${expected} to ${row.seq - 1} are`;
      return { seq: expected, message: `${missing} missing` };
    }
    if (row.hash !== hashOf(row)) {
      return { seq: row.seq, message: 'the row does not match its hash: it was changed, or put in place of another' };
    }
    if (row.previous !== this.#last.hash) {
      return { seq: row.seq, message: `the row does not continue row ${row.seq - 1}: one of the two was replaced` };
    }
    return null;
  }

  #checkAnchor(): { seq: number; message: string } | null {
    const stated = this.#anchor.seq === 0 ? null : JSON.stringify(this.#anchor);
    if (stated === this.#pruned) return null;
    return {
      seq: this.#anchor.seq + 1,
      message: 'the chain does not begin where its latest row about pruning says: rows were cut off the beginning',
    };
  }

  #checkHead(head: ChainPoint | null): { seq: number; message: string } | null {
    if (head === null) return { seq: this.#last.seq, message: 'the note of the last row is missing' };
    if (head.seq > this.#last.seq) {
      return { seq: this.#last.seq + 1, message: `rows up to ${head.seq} were written and are missing at the end` };
    }
    if (head.seq < this.#last.seq) {
      return { seq: head.seq + 1, message: 'the row was added behind the last one that was written' };
    }
    if (head.hash !== this.#last.hash) {
      return { seq: head.seq, message: 'the last row is not the one that was written' };
    }
    return null;
  }
}

/**
 * What the control plane needs of durable storage: small JSON values by key, with revisions and watching; audit rows; events; history.
 *
 * One interface, because where it is kept will differ: SQLite on one machine today, a cluster's store later. So it is asynchronous, a change
 * is one transaction (`commit`), every value has the revision of the commit that wrote it, and readers can watch a prefix. Nothing here
 * knows what the values mean.
 *
 * `commit` is durable when it resolves: a crash of process or machine loses nothing that it acknowledged. Where it rejects nothing was
 * written, neither value nor audit row nor event.
 */
import type { SluiceEvent } from '../events/event.ts';

export interface Entry {
  readonly key: string;
  /** JSON. */
  readonly value: unknown;
  /** Of the commit that wrote it. */
  readonly revision: number;
}

/** Who did what; the store adds number, time and hashes. */
export interface NewAudit {
  /** Name of the token, `local` on an open loopback API, `file` for a changed file, `signal`, or `sluice` for what it did by itself. */
  readonly actor: string;
  readonly role: string;
  /** Address of the client, empty for what came from no client. */
  readonly address: string;
  readonly requestId: string;
  /** `weights.set`, `flag.set`, … */
  readonly action: string;
  /** What was changed: `services/shop/weights`. */
  readonly target: string;
  /** JSON; null where there was or is nothing. */
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string;
}

export interface AuditRow extends NewAudit {
  /** From 1, without gaps. */
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  /** Hash of the row before, hexadecimal SHA-256. */
  readonly previous: string;
  /** Hash of this row, `previous` included. */
  readonly hash: string;
}

export interface AuditQuery {
  /** Rows after this number. */
  readonly since?: number;
  readonly limit: number;
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  /** Newest first where true. */
  readonly newest?: boolean;
}

export interface AuditVerdict {
  readonly ok: boolean;
  readonly rows: number;
  /** Hash of the last row: noted elsewhere, it proves later that nothing was cut off the end. */
  readonly head: string;
  /** First row that does not fit, and why. */
  readonly fault?: { readonly seq: number; readonly message: string };
}

export interface HistoryPoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly service: string;
  readonly version: string;
  /** By metric; null where there was nothing to measure. */
  readonly values: Readonly<Record<string, number | null>>;
}

export interface Commit {
  readonly puts?: readonly { readonly key: string; readonly value: unknown }[];
  readonly deletes?: readonly string[];
  readonly audit?: readonly NewAudit[];
  readonly events?: readonly SluiceEvent[];
  readonly history?: readonly HistoryPoint[];
  /** The commit is refused with `conflict` where a key has another revision by now; 0 is a key that does not exist. */
  readonly expect?: readonly { readonly key: string; readonly revision: number }[];
}

/** Why the store cannot be written: `full` is no space, `unavailable` anything else (read-only, an I/O error, a foreign lock). */
export type StoreTrouble = 'full' | 'unavailable';

export class StoreError extends Error {
  readonly trouble: StoreTrouble | 'conflict';

  constructor(trouble: StoreTrouble | 'conflict', message: string) {
    super(message);
    this.name = 'StoreError';
    this.trouble = trouble;
  }
}

export interface StoreState {
  /** Where it is kept; null in memory. */
  readonly path: string | null;
  readonly revision: number;
  /** Null while it can be written. */
  readonly trouble: { readonly kind: StoreTrouble; readonly message: string; readonly since: string } | null;
}

export interface Store {
  get(key: string): Promise<Entry | null>;
  /** Keys that begin with `prefix`, in order. */
  list(prefix: string): Promise<readonly Entry[]>;
  /** @returns its revision. @throws StoreError */
  commit(change: Commit): Promise<number>;
  /** Called behind each commit with what it changed; `value` is undefined for what was deleted. @returns what ends the watching. */
  watch(
    prefix: string,
    listener: (changes: readonly { readonly key: string; readonly value: unknown }[]) => void,
  ): () => void;
  /** Oldest first, later than `since`. */
  events(since: number, limit: number): Promise<readonly SluiceEvent[]>;
  /** 0 where there is none. */
  lastEventId(): Promise<number>;
  audit(query: AuditQuery): Promise<readonly AuditRow[]>;
  verifyAudit(): Promise<AuditVerdict>;
  /** Oldest first. */
  history(service: string, version: string, since: number): Promise<readonly HistoryPoint[]>;
  /** Forgets events, audit rows and history from before these times, milliseconds since 1970. */
  prune(before: { readonly events: number; readonly audit: number; readonly history: number }): Promise<void>;
  state(): StoreState;
  /** Called when writing begins to fail, and when it works again. @returns what ends it. */
  onTrouble(listener: (trouble: StoreState['trouble']) => void): () => void;
  close(): Promise<void>;
}

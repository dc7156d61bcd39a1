/**
 * A store in memory whose trouble, errors and slowness a test decides: what survives in it is what a process that was killed would find.
 */
import type { SluiceEvent } from '../../src/control/events/event.ts';
import {
  type AuditRow,
  type AuditVerdict,
  type Commit,
  type Entry,
  type HistoryPoint,
  type Store,
  StoreError,
  type StoreState,
  type StoreTrouble,
} from '../../src/control/store/store.ts';

export class MemoryStore implements Store {
  readonly commits: Commit[] = [];
  readonly pruned: Parameters<Store['prune']>[0][] = [];
  readonly points: HistoryPoint[] = [];
  /** Thrown by a commit for which it returns one. */
  refuses: (change: Commit) => Error | null = () => null;
  /** Where set, a commit takes effect only when it resolves. */
  gate: Promise<void> | null = null;
  /** Likewise for reading events; the reading itself comes behind it. */
  readGate: Promise<void> | null = null;
  readonly #entries = new Map<string, Entry>();
  #events: SluiceEvent[] = [];
  #trouble: StoreState['trouble'] = null;
  readonly #listeners = new Set<(trouble: StoreState['trouble']) => void>();

  /** Null: it works again. */
  trouble(kind: StoreTrouble | null): void {
    this.#trouble = kind === null ? null : { kind, message: 'the disk is gone', since: '2026-01-01T00:00:00.000Z' };
    for (const listener of this.#listeners) listener(this.#trouble);
  }

  get storedIds(): number[] {
    return this.#events.map(({ id }) => id);
  }

  /** The last `reserved` mark and so on, without waiting. */
  valueOf(key: string): unknown {
    return this.#entries.get(key)?.value;
  }

  get(key: string): Promise<Entry | null> {
    return Promise.resolve(this.#entries.get(key) ?? null);
  }

  list(prefix: string): Promise<readonly Entry[]> {
    return Promise.resolve([...this.#entries.values()].filter(({ key }) => key.startsWith(prefix)));
  }

  async commit(change: Commit): Promise<number> {
    this.commits.push(change);
    await this.gate;
    const refusal = this.refuses(change);
    if (refusal !== null) throw refusal;
    if (this.#trouble !== null) throw new StoreError(this.#trouble.kind, this.#trouble.message);
    const revision = this.commits.length;
    for (const { key, value } of change.puts ?? [])
      this.#entries.set(key, { key, value: structuredClone(value), revision });
    for (const key of change.deletes ?? []) this.#entries.delete(key);
    this.#events = [...this.#events, ...(change.events ?? [])].sort((a, b) => a.id - b.id);
    this.points.push(...(change.history ?? []));
    return revision;
  }

  watch(): () => void {
    return () => {};
  }

  async events(since: number, limit: number): Promise<readonly SluiceEvent[]> {
    await this.readGate;
    return this.#events.filter(({ id }) => id > since).slice(0, limit);
  }

  lastEventId(): Promise<number> {
    return Promise.resolve(this.#events.at(-1)?.id ?? 0);
  }

  audit(): Promise<readonly AuditRow[]> {
    return Promise.resolve([]);
  }

  verifyAudit(): Promise<AuditVerdict> {
    return Promise.resolve({ ok: true, rows: 0, head: '' });
  }

  history(): Promise<readonly HistoryPoint[]> {
    return Promise.resolve(this.points);
  }

  prune(before: Parameters<Store['prune']>[0]): Promise<void> {
    this.pruned.push(before);
    return Promise.resolve();
  }

  state(): StoreState {
    return { path: null, revision: this.commits.length, trouble: this.#trouble };
  }

  onTrouble(listener: (trouble: StoreState['trouble']) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

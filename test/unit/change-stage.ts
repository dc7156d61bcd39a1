/**
 * A control plane without processes: the real core, store (SQLite in memory) and event log over workers that do what a test says.
 *
 * Everything that happens goes into one journal, so that a test compares the order of things as a list of words. A restart is a new stage over
 * the store of the old one: what is not in the store is forgotten. Time and time of day are turned by hand.
 */
import type { Test } from 'tap';
import type { Acknowledged } from '../../src/control/acknowledgements.ts';
import { ChangeCore, type RunningState, type Workers } from '../../src/control/change/change-core.ts';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import { EventLog } from '../../src/control/events/event-log.ts';
import type { Actor } from '../../src/control/operations.ts';
import { OperationError } from '../../src/control/problems.ts';
import { withOverrides } from '../../src/control/state/effective.ts';
import { OVERRIDES } from '../../src/control/state/overrides.ts';
import type { SqliteStore } from '../../src/control/store/sqlite-store.ts';
import { type AuditRow, StoreError } from '../../src/control/store/store.ts';
import { RefusedError } from '../../src/control/supervisor.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { turns } from '../kit/signal.ts';
import { newStore } from '../kit/store.ts';

export const CI: Actor = { name: 'ci', role: 'operator', address: '127.0.0.1', requestId: 'r-1' };

export const SHOP = {
  versions: {
    v1: { endpoints: ['http://127.0.0.1:3001', 'http://127.0.0.1:3002'] },
    v2: { endpoints: ['http://127.0.0.1:3003'] },
    v3: { endpoints: ['http://127.0.0.1:3004'] },
  },
  lanes: { stable: 'v1', canary: 'v2' },
  split: { weights: { v1: 90, v2: 10 } },
};

const BLOG = { versions: { b1: { endpoints: ['http://127.0.0.1:3005'] } } };

/** As text; `more` is merged over the top level, `shop` over the service. */
export const fileText = (more: object = {}, shop: object = {}): string =>
  JSON.stringify({
    listen: '127.0.0.1:0',
    workers: 2,
    services: { shop: { ...SHOP, ...shop }, blog: BLOG },
    routes: [
      { match: { host: 'blog.example.com' }, service: 'blog' },
      { match: { pathPrefix: '/' }, service: 'shop' },
    ],
    flags: { beta: { default: 'off', key: { header: 'X-User' } }, banner: true },
    ...more,
  });

/** Two workers that take everything up, unless told otherwise. */
export class FakeWorkers implements Workers {
  snapshot: Snapshot;
  readonly #journal: string[];
  missing: readonly string[] = [];
  /** What the first worker says against the next snapshot. */
  refuses: string | null = null;
  /** While set, nothing is acknowledged. */
  gate: Promise<void> | null = null;

  constructor(snapshot: Snapshot, journal: string[]) {
    this.snapshot = snapshot;
    this.#journal = journal;
  }

  async apply(_config: unknown, snapshot: Snapshot): Promise<Acknowledged> {
    this.#journal.push(`apply ${snapshot.generation}`);
    await this.gate;
    if (this.refuses !== null) throw new RefusedError(this.refuses);
    this.snapshot = snapshot;
    return this.#answer();
  }

  async weigh(snapshot: Snapshot): Promise<Acknowledged> {
    this.snapshot = snapshot;
    const [shop] = snapshot.services;
    this.#journal.push(`weigh ${shop!.versions.map(({ name, weight }) => `${name}=${weight}`).join(' ')}`);
    await this.gate;
    return this.#answer();
  }

  #answer(): Acknowledged {
    return { taken: 2 - this.missing.length, refusals: [], missing: this.missing };
  }
}

export interface Stage {
  readonly core: ChangeCore;
  readonly workers: FakeWorkers;
  readonly store: SqliteStore;
  readonly events: EventLog;
  readonly clock: FakeClock;
  readonly wall: { now: number };
  readonly wallClock: () => number;
  readonly journal: string[];
  /** Every event that was told. */
  readonly told: SluiceEvent[];
  /** Where set, commits of changes are refused so. */
  disk: { trouble: 'full' | 'unavailable' | null };
  /** Time passes, and what it causes happens. */
  pass(ms: number): Promise<void>;
  audit(): Promise<readonly AuditRow[]>;
  /** What is in the store of runtime changes, by key without its beginning. */
  kept(): Promise<Readonly<Record<string, unknown>>>;
}

/** @param before a stage whose process is gone. */
export async function newStage(t: Test, text = fileText(), before?: Stage): Promise<Stage> {
  const journal: string[] = [];
  const { store, clock, wall } = before ?? newStore(t, null);
  const disk: Stage['disk'] = { trouble: null };
  if (before === undefined) journalCommits(store, journal, disk);
  else before.journal.length = 0;
  const words = before?.journal ?? journal;
  const wallClock = (): number => wall.now;
  const events = await EventLog.open({ store, clock, wallClock, logger: silentLogger });
  const told: SluiceEvent[] = [];
  events.subscribe((event) => {
    told.push(event);
    words.push(`event ${event.type}`);
  });
  const file = parseConfig(text, 'sluice.yaml', {});
  const entries = new Map((await store.list(OVERRIDES)).map(({ key, value }) => [key, value]));
  const { config, dropped } = withOverrides(file, entries);
  for (const { key } of dropped) entries.delete(key);
  const snapshot = compileSnapshot(config, 1);
  const workers = new FakeWorkers(snapshot, words);
  const state: RunningState = { file, entries, config, snapshot, generation: 1 };
  const core = new ChangeCore({
    ...{ store, events, workers, logger: silentLogger, state },
    beforeSnapshot: ({ generation }) => void words.push(`before ${generation}`),
    afterChange: ({ generation }) => void words.push(`after ${generation}`),
  });
  return {
    ...{ core, workers, store, events, clock, wall, wallClock, journal: words, told, disk: before?.disk ?? disk },
    async pass(ms) {
      wall.now += ms;
      clock.advance(ms);
      await turns(4);
    },
    audit: () => store.audit({ limit: 1_000 }),
    async kept() {
      const found = await store.list(OVERRIDES);
      return Object.fromEntries(found.map(({ key, value }) => [key.slice(OVERRIDES.length), value]));
    },
  };
}

/** Only changes have audit rows; what the event log writes behind is not looked at. */
function journalCommits(store: SqliteStore, journal: string[], disk: Stage['disk']): void {
  const commit = store.commit.bind(store);
  store.commit = async (change) => {
    if ((change.audit ?? []).length === 0) return commit(change);
    if (disk.trouble !== null) {
      journal.push('refused');
      throw new StoreError(disk.trouble, 'no space left');
    }
    const revision = await commit(change);
    journal.push(`commit ${change.audit!.map(({ action }) => action).join(' ')}`);
    return revision;
  };
}

/** What an operation was refused with: the code and the message in one line, or null where it was not. */
export async function refusal(work: Promise<unknown> | (() => unknown)): Promise<string | null> {
  try {
    await (typeof work === 'function' ? work() : work);
    return null;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

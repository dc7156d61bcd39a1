/** What the tests of the store share: a folder that goes away, a store that is closed, rows to put in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type SqliteStore } from '../../src/control/store/sqlite-store.ts';
import { canBeShared } from '../../src/control/store/state-file.ts';
import type { NewAudit } from '../../src/control/store/store.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

export interface Teardown {
  teardown(work: () => unknown): void;
}

export const START = Date.parse('2026-01-01T00:00:00Z');

export function newFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A reason to skip a test in which others use the state while it is open, or false. */
export const notShared: string | false =
  !canBeShared(tmpdir()) && 'on this file system nobody else can open the state meanwhile';

export interface StoreUnderTest {
  readonly store: SqliteStore;
  readonly clock: FakeClock;
  /** Milliseconds since 1970; the store's time of day. */
  readonly wall: { now: number };
}

/** @param directory null: in memory. */
export function newStore(t: Teardown, directory: string | null): StoreUnderTest {
  const clock = new FakeClock();
  const wall = { now: START };
  const store = openStore({ directory, clock, wallClock: () => wall.now, logger: silentLogger });
  t.teardown(() => store.close());
  return { store, clock, wall };
}

export const auditRow = (target: string, more: Partial<NewAudit> = {}): NewAudit => ({
  actor: 'ci',
  role: 'operator',
  address: '127.0.0.1',
  requestId: 'r-1',
  action: 'weights.set',
  target,
  before: { v1: 100 },
  after: { v1: 90, v2: 10 },
  reason: 'a test',
  ...more,
});

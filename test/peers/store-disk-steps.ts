/**
 * What `store-disk.test.ts` has done on a real disk that fails, in a process of its own: `node store-disk-steps.ts STEPS DIRECTORY`.
 *
 * Each list of steps ends with status 0 where all was as it should be; otherwise the assertion is on standard error. The clock
 * is turned by hand, so nothing waits for a probe.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { openStore, type SqliteStore } from '../../src/control/store/sqlite-store.ts';
import type { StoreTrouble } from '../../src/control/store/store.ts';
import { verifyAuditFile } from '../../src/control/store/verify-audit.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { auditRow } from '../kit/store.ts';

const [steps = '', directory = ''] = process.argv.slice(2);
const disk = dirname(directory);
const filler = `${disk}/filler`;
const clock = new FakeClock();
const told: (StoreTrouble | null)[] = [];

function open(): SqliteStore {
  const store = openStore({ directory, clock, logger: silentLogger });
  store.onTrouble((trouble) => told.push(trouble?.kind ?? null));
  return store;
}

const commit = (store: SqliteStore, bytes = 8_000): Promise<number> => {
  const key = `key/${store.state().revision + 1}`;
  return store.commit({ puts: [{ key, value: 'x'.repeat(bytes) }], audit: [auditRow(key)] });
};

async function commitUntilRefused(store: SqliteStore, trouble: StoreTrouble): Promise<void> {
  for (let i = 0; i < 2_000; i++) {
    try {
      await commit(store);
    } catch (error) {
      assert.equal((error as { trouble?: string }).trouble, trouble, String(error));
      return;
    }
  }
  assert.fail('nothing was refused');
}

async function isWhole(store: SqliteStore): Promise<void> {
  const { revision } = store.state();
  assert.equal((await store.list('key/')).length, revision);
  const verdict = await store.verifyAudit();
  assert.deepEqual({ ok: verdict.ok, rows: verdict.rows }, { ok: true, rows: revision });
}

/** It stays refused as long as the disk is as it is, and is written again by itself when that has changed. */
async function failsAndRecovers(store: SqliteStore, trouble: StoreTrouble, mend: () => void): Promise<void> {
  const { revision } = store.state();
  await assert.rejects(commit(store), { trouble });
  clock.advance(5_000);
  assert.equal(store.state().trouble?.kind, trouble, 'no recovery is announced');
  await assert.rejects(commit(store, 10), { trouble }, 'not for a small one either');
  assert.equal(store.state().revision, revision);
  await isWhole(store);
  mend();
  clock.advance(1_000);
  assert.equal(store.state().trouble, null, 'recovered');
  assert.equal(await commit(store), revision + 1);
  await isWhole(store);
}

function fillUp(): void {
  for (let bytes = 64 * 1024; bytes >= 1; bytes = Math.floor(bytes / 4)) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(bytes), { flag: 'a' });
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'ENOSPC');
    }
  }
  assert.equal(statfsSync(disk).bavail, 0);
}

/** A journal gives back the blocks of a deleted file when it is next written, which happens every few seconds without being asked. */
function freeSpace(): void {
  rmSync(filler);
  execFileSync('sync');
}

const die = (): void => void process.kill(process.pid, 'SIGKILL');

const STEPS: Readonly<Record<string, () => Promise<void>>> = {
  /** Written full by the store itself. */
  full: async () => {
    // What is freed later must hold a copy of all that was written: the log is played into the database.
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc((bavail * bsize) / 2));
    const store = open();
    await commitUntilRefused(store, 'full');
    await failsAndRecovers(store, 'full', freeSpace);
    assert.deepEqual(told, ['full', null]);
    await store.close();
    await isWhole(open());
  },
  /** Nothing is mapped, so nobody else can read it, and the audit is verified all the same. */
  unmapped: async () => {
    const store = open();
    await commit(store);
    assert.ok(!existsSync(`${directory}/state.db-shm`));
    await assert.rejects(verifyAuditFile(directory), { name: 'StoreError' });
    await isWhole(store);
    await store.close();
    assert.equal((await verifyAuditFile(directory)).rows, 1);
    rmSync(directory, { recursive: true });
  },
  /** Filled by others while the store has not much to write; then killed. */
  fillAndDie: async () => {
    const store = open();
    for (let i = 0; i < 20; i++) await commit(store);
    fillUp();
    await commitUntilRefused(store, 'full');
    die();
  },
  startFull: async () => {
    const store = open();
    assert.equal(store.state().trouble?.kind, 'full', 'from the start');
    await failsAndRecovers(store, 'full', freeSpace);
    assert.deepEqual(told, [null]);
    await store.close();
    await isWhole(open());
  },
  /** There is nothing to start with. */
  firstStartFull: async () => {
    fillUp();
    assert.throws(open, { name: 'StoreError', trouble: 'full' });
    rmSync(filler);
    await commit(open());
  },
  /** A limit on the size of files: an I/O error, with space left on the disk. */
  limit: async () => {
    const store = open();
    await commitUntilRefused(store, 'unavailable');
    const lift = () => execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:unlimited']);
    await failsAndRecovers(store, 'unavailable', lift);
    assert.deepEqual(told, ['unavailable', null]);
  },
  /** The files become immutable while they are open; not the mapped one, which would be a SIGBUS and does not happen to a disk. */
  immutable: async () => {
    const store = open();
    await commit(store);
    const files = ['state.db', 'state.db-wal'].map((name) => `${directory}/${name}`);
    const change = (how: string) => execFileSync('chattr', [how, ...files]);
    change('+i');
    try {
      await commitUntilRefused(store, 'unavailable');
      await failsAndRecovers(store, 'unavailable', () => change('-i'));
      assert.deepEqual(told, ['unavailable', null]);
    } finally {
      change('-i');
    }
  },
  /** The kernel finds an error in the file system and makes it read-only under us, for good. */
  emergency: async () => {
    const store = open();
    for (let i = 0; i < 5; i++) await commit(store);
    execFileSync('sync');
    const device = /^\/dev\/(\S+)/.exec(
      readFileSync('/proc/mounts', 'utf8')
        .split('\n')
        .find((line) => line.includes(` ${disk} `))!,
    );
    writeFileSync(`/sys/fs/ext4/${device?.[1]}/trigger_fs_error`, '1');
    await commitUntilRefused(store, 'unavailable');
    await assert.rejects(commit(store), { trouble: 'unavailable' });
    clock.advance(5_000);
    await isWhole(store);
    assert.deepEqual(told, ['unavailable']);
    await store.close();
  },
  write: async () => {
    const store = open();
    for (let i = 0; i < 5; i++) await commit(store);
    await store.close();
  },
  writeAndDie: async () => {
    const store = open();
    for (let i = 0; i < 5; i++) await commit(store);
    die();
  },
  startReadOnly: async () => {
    const store = open();
    assert.equal(store.state().revision, 5, 'what was written is there');
    assert.equal(store.state().trouble?.kind, 'unavailable', 'from the start');
    await failsAndRecovers(store, 'unavailable', () => {
      execFileSync('mount', ['-o', 'remount,rw', disk]);
    });
    assert.deepEqual(told, [null]);
    assert.throws(open, { name: 'DataLockedError' }, 'the lock was taken when that became possible');
    await store.close();
    await isWhole(open());
  },
  firstStartReadOnly: async () => {
    assert.throws(open, { name: 'StoreError', trouble: 'unavailable' });
  },
};

await STEPS[steps]!();

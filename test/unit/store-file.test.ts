/** What is done with the files of a data directory: made, locked, migrated, refused. */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { MIGRATIONS, migrate, schemaVersion } from '../../src/control/store/migrations.ts';
import { DataLockedError } from '../../src/control/store/state-lock.ts';
import { verifyAuditFile } from '../../src/control/store/verify-audit.ts';
import { auditRow, newFolder, newStore, notShared } from '../kit/store.ts';
import { lacking, run } from '../peers/commands.ts';

const put = (value: unknown) => ({ puts: [{ key: 'a', value }] });

t.test('only the owner can read it', async (t) => {
  const directory = `${newFolder(t)}/deep/data`;
  const { store } = newStore(t, directory);
  await store.commit(put(1));
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  t.equal(mode(directory), '700');
  for (const file of ['state.db', 'state.db-wal', 'lock', 'lock.pid'])
    t.equal(mode(`${directory}/${file}`), '600', file);
  t.equal(store.state().path, `${directory}/state.db`);
});

t.test('kept from one process to the next', async (t) => {
  const directory = newFolder(t);
  const first = newStore(t, directory).store;
  await first.commit({ ...put('ü'), audit: [auditRow('a')] });
  await first.close();
  t.notOk(existsSync(`${directory}/lock.pid`));
  t.notOk(existsSync(`${directory}/state.db-wal`), 'a clean end leaves one file');
  const { store } = newStore(t, directory);
  t.strictSame(await store.get('a'), { key: 'a', value: 'ü', revision: 1 });
  t.equal(store.state().revision, 1);
  t.match(await store.verifyAudit(), { ok: true, rows: 1 });
});

t.test('one process at a time', async (t) => {
  const directory = newFolder(t);
  const { store } = newStore(t, directory);
  const error = await Promise.try(() => newStore(t, directory)).catch((error: unknown) => error);
  t.ok(error instanceof DataLockedError);
  t.match(error, { directory, pid: process.pid, message: `${directory} is in use by process ${process.pid}` });
  await store.commit(put(1));
  await store.close();
  await newStore(t, directory).store.commit(put(2));
});

t.test('a state from before is brought up to date', async (t) => {
  const directory = newFolder(t);
  // As version 1 wrote it. What is written here is never edited: a file like this may be anywhere.
  const old = new DatabaseSync(`${directory}/state.db`);
  old.exec(readFileSync(new URL('./store-schema-1.sql', import.meta.url), 'utf8'));
  old.close();
  const { store } = newStore(t, directory);
  t.strictSame(await store.get('services/shop/weights'), {
    key: 'services/shop/weights',
    value: { v1: 90, v2: 10 },
    revision: 3,
  });
  t.equal(store.state().revision, 3);
  t.match(await store.verifyAudit(), { ok: true, rows: 2 });
  t.match(await store.events(0, 10), [{ id: 1, type: 'weights.changed' }]);
  t.match(await store.history('shop', 'v1', 0), [{ at: 1_767_225_600_000, values: { p95: 12.5 } }]);
  t.equal(await store.commit({ ...put(1), audit: [auditRow('b')] }), 4);
  t.match(await store.verifyAudit(), { ok: true, rows: 3 });
});

t.test('migrations', async (t) => {
  const database = new DatabaseSync(':memory:');
  t.teardown(() => database.close());
  const steps = ['CREATE TABLE a (x); INSERT INTO a VALUES (1)', 'ALTER TABLE a ADD COLUMN y DEFAULT 7'];
  migrate(database, 'x', steps.slice(0, 1));
  t.equal(schemaVersion(database), 1);
  const broken = [...steps, 'CREATE TABLE b (x); CREATE TABLE b (x)'];
  t.throws(() => migrate(database, 'x', broken), /already exists/);
  t.equal(schemaVersion(database), 2, 'each step is whole');
  t.throws(() => database.prepare('SELECT * FROM b'), /no such table/, 'or not there');
  t.match(database.prepare('SELECT * FROM a').all(), [{ x: 1, y: 7 }]);
  migrate(database, 'x', [...steps, 'CREATE TABLE b (x)']);
  t.equal(schemaVersion(database), 3);
  t.throws(() => migrate(database, 'x', steps), /newer Sluice \(its schema is 3, this program knows 2\)/);
});

t.test('what is refused', async (t) => {
  const prepared = async (): Promise<string> => {
    const directory = newFolder(t);
    const { store } = newStore(t, directory);
    const puts = Array.from({ length: 200 }, (_, i) => ({ key: `a/${i}`, value: 'x'.repeat(500) }));
    await store.commit({ puts });
    await store.close();
    return directory;
  };
  const refused = async (name: string, message: RegExp, damage: (path: string) => void): Promise<void> => {
    const directory = await prepared();
    const path = `${directory}/state.db`;
    damage(path);
    const before = existsSync(path) ? readFileSync(path) : null;
    t.throws(() => newStore(t, directory), { name: 'StateFileError', path, message }, name);
    if (before !== null) t.ok(before.equals(readFileSync(path)), `${name}: left as it was`);
    if (before !== null) await t.rejects(verifyAuditFile(directory), { name: 'StateFileError' }, name);
    t.throws(() => newStore(t, directory), { name: 'StateFileError' }, `${name}: the lock was given back`);
  };
  const damaged = /is damaged.*move it away/;
  await refused('not a database', damaged, (path) => writeFileSync(path, 'hello '.repeat(5_000)));
  await refused('empty', damaged, (path) => truncateSync(path, 0));
  await refused('cut off', damaged, (path) => truncateSync(path, 8_192));
  await refused('a page overwritten', damaged, (path) => {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0x5a, bytes.length - 12_000, bytes.length - 4_000));
  });
  const edit = (sql: string) => (path: string) => {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  };
  await refused('newer', /newer Sluice/, edit(`PRAGMA user_version = ${MIGRATIONS.length + 1}`));
  await refused('of another program', /another program/, edit('PRAGMA application_id = 1'));
  await refused('the log alone', /is missing while .*state\.db-wal/, (path) => {
    renameSync(path, `${path}.elsewhere`);
    writeFileSync(`${path}-wal`, 'x');
  });
});

t.test('an unfinished first start is done again', async (t) => {
  const directory = newFolder(t);
  writeFileSync(`${directory}/state.db.new`, 'half of it');
  writeFileSync(`${directory}/state.db.new-journal`, 'a journal');
  const { store } = newStore(t, directory);
  t.equal(await store.commit(put(1)), 1);
  t.notOk(existsSync(`${directory}/state.db.new`));
});

t.test('a directory that cannot be used', async (t) => {
  const folder = newFolder(t);
  writeFileSync(`${folder}/file`, '');
  t.throws(() => newStore(t, `${folder}/file/data`), { name: 'StoreError', trouble: 'unavailable' });
  mkdirSync(`${folder}/data/state.db`, { recursive: true });
  t.throws(() => newStore(t, `${folder}/data`), { name: 'StoreError', trouble: 'unavailable' });
  await t.rejects(verifyAuditFile(`${folder}/nowhere`), { name: 'StoreError', message: /no state/ });
});

t.test('a lock of another program is trouble until it is gone', { skip: notShared }, async (t) => {
  const directory = newFolder(t);
  const { store, clock } = newStore(t, directory);
  const told: (string | undefined)[] = [];
  store.onTrouble((trouble) => told.push(trouble?.kind));
  const other = new DatabaseSync(`${directory}/state.db`);
  t.teardown(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  await t.rejects(store.commit(put(1)), { name: 'StoreError', trouble: 'unavailable', message: /lock/ });
  t.equal(await store.get('a'), null, 'reading goes on');
  await t.rejects(store.commit(put(2)), { name: 'StoreError', trouble: 'unavailable' });
  other.exec('ROLLBACK');
  await t.rejects(
    store.commit(put(3)),
    { name: 'StoreError', trouble: 'unavailable' },
    'until the probe has found out',
  );
  clock.advance(1_000);
  t.equal(await store.commit(put(4)), 1);
  t.strictSame(told, ['unavailable', undefined]);
});

t.test('a state that was moved away is not written to', async (t) => {
  const directory = newFolder(t);
  const path = `${directory}/state.db`;
  const { store, clock } = newStore(t, directory);
  await store.commit(put(1));
  renameSync(path, `${path}.away`);
  await t.rejects(store.commit(put(2)), { trouble: 'unavailable', message: /not the file that was opened/ });
  writeFileSync(path, 'something else');
  clock.advance(1_000);
  t.equal(store.state().trouble?.kind, 'unavailable');
  renameSync(`${path}.away`, path);
  clock.advance(1_000);
  t.equal(store.state().trouble, null);
  t.equal(await store.commit(put(3)), 2);
});

t.test('the write-ahead log stays short', async (t) => {
  const directory = newFolder(t);
  const { store } = newStore(t, directory);
  const size = (): number => statSync(`${directory}/state.db-wal`).size;
  await store.commit(put('x'.repeat(12_000_000)));
  for (let i = 0; i < 400; i++) await store.commit(put(`${i}`.repeat(7_000)));
  t.ok(size() < 5_000_000, `${size()} bytes after a commit of 12,000,000 and many small ones`);
});

t.test('a backup is taken while it runs', { skip: lacking('sqlite3') || notShared }, async (t) => {
  const directory = newFolder(t);
  const { store } = newStore(t, directory);
  await store.commit({ ...put(1), audit: [auditRow('a')] });
  mkdirSync(`${directory}/copy`);
  const { status, errors } = await run('sqlite3', [`${directory}/state.db`, `.backup ${directory}/copy/state.db`]);
  t.equal(status, 0, errors);
  await store.commit(put(2));
  const copy = newStore(t, `${directory}/copy`).store;
  t.match(await copy.get('a'), { value: 1, revision: 1 });
  t.match(await copy.verifyAudit(), { ok: true, rows: 1 });
});

/** Every way to tamper with the audit is found, at the row where it begins, and anyone can recompute a hash with two ordinary tools. */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { hashOf, type StoredAudit } from '../../src/control/store/audit-chain.ts';
import { openStore, type SqliteStore } from '../../src/control/store/sqlite-store.ts';
import type { AuditVerdict } from '../../src/control/store/store.ts';
import { verifyAuditFile } from '../../src/control/store/verify-audit.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { auditRow, newFolder, newStore, notShared, START, type Teardown } from '../kit/store.ts';
import { lacking, run } from '../peers/commands.ts';

const ROWS = 6;

/** A store with a chain of six rows, closed. */
async function chainIn(t: Teardown): Promise<string> {
  const directory = newFolder(t);
  const { store } = newStore(t, directory);
  for (let i = 1; i <= ROWS; i++) await store.commit({ audit: [auditRow(`row ${i}`)] });
  await store.close();
  return directory;
}

function tamper(directory: string, sql: string | ((database: DatabaseSync) => void)): void {
  const database = new DatabaseSync(`${directory}/state.db`);
  if (typeof sql === 'string') database.exec(sql);
  else sql(database);
  database.close();
}

/** Hashes a row again after it was changed, as a tamperer who has read the documentation would. */
function rehash(database: DatabaseSync, seq: number): void {
  const row = database.prepare('SELECT *, request_id AS requestId FROM audit WHERE seq = ?').get(seq);
  database.prepare('UPDATE audit SET hash = ? WHERE seq = ?').run(hashOf(row as unknown as StoredAudit), seq);
}

const reopen = (t: Teardown, directory: string): SqliteStore => newStore(t, directory).store;

const copyRow3 = (seq: string, actor: string): string =>
  `INSERT INTO audit SELECT ${seq}, at, ${actor}, role, address, request_id, action, target, before, after, reason, previous, hash ` +
  'FROM audit WHERE seq = 3';

const COLUMNS = ['at', 'actor', 'role', 'address', 'request_id', 'action', 'target', 'before', 'after', 'reason'];

const CASES: readonly (readonly [string, number, RegExp, string | ((database: DatabaseSync) => void)])[] = [
  ...COLUMNS.map(
    (column) =>
      [
        `${column} changed`,
        3,
        /does not match/,
        `UPDATE audit SET ${column} = ${column} || ' ' WHERE seq = 3`,
      ] as const,
  ),
  ['JSON written otherwise', 3, /does not match/, `UPDATE audit SET after = '{"v1": 90,"v2":10}' WHERE seq = 3`],
  ['hash changed', 3, /does not match/, `UPDATE audit SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = 3`],
  ['previous changed', 3, /does not match/, `UPDATE audit SET previous = '${'0'.repeat(64)}' WHERE seq = 3`],
  ['a text made a number', 3, /does not match/, `UPDATE audit SET reason = x'00' WHERE seq = 3`],
  ['first row deleted', 1, /row 1 is missing/, 'DELETE FROM audit WHERE seq = 1'],
  ['one row deleted', 3, /row 3 is missing/, 'DELETE FROM audit WHERE seq = 3'],
  ['two rows deleted', 3, /rows 3 to 4 are missing/, 'DELETE FROM audit WHERE seq IN (3, 4)'],
  ['last row deleted', 6, /missing at the end/, 'DELETE FROM audit WHERE seq = 6'],
  ['all rows deleted', 1, /missing at the end/, 'DELETE FROM audit'],
  [
    'a row deleted and the rest moved up',
    3,
    /does not match/,
    'DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3',
  ],
  [
    'rows exchanged',
    3,
    /does not match/,
    'UPDATE audit SET seq = 99 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 99',
  ],
  [
    'a row put in',
    4,
    /does not match/,
    `UPDATE audit SET seq = -seq WHERE seq > 3; UPDATE audit SET seq = 1 - seq WHERE seq < 0; ${copyRow3('4', "'eve'")}`,
  ],
  [
    'a row changed and hashed again',
    4,
    /does not continue row 3/,
    (database) => {
      database.exec("UPDATE audit SET actor = 'eve' WHERE seq = 3");
      rehash(database, 3);
    },
  ],
  [
    'the last row changed and hashed again',
    6,
    /not the one that was written/,
    (database) => {
      database.exec("UPDATE audit SET actor = 'eve' WHERE seq = 6");
      rehash(database, 6);
    },
  ],
  [
    'a row added at the end, well chained',
    7,
    /added behind/,
    (database) => {
      database.exec(
        "INSERT INTO audit SELECT 7, at, 'eve', role, address, request_id, action, target, before, after, reason, hash, '' FROM audit WHERE seq = 6",
      );
      rehash(database, 7);
    },
  ],
  ['a number nobody can read', 7, /cannot be read/, copyRow3('9007199254740993', 'actor')],
  ['the note of the last row deleted', 6, /note .* missing/, "DELETE FROM meta WHERE key = 'auditHead'"],
  [
    'the beginning cut off, as if pruned',
    4,
    /cut off the beginning/,
    `INSERT INTO meta SELECT 'auditAnchor', '{"seq":3,"hash":"' || hash || '"}' FROM audit WHERE seq = 3; DELETE FROM audit WHERE seq <= 3`,
  ],
];

t.test('tampering', async (t) => {
  const sound = await verifyAuditFile(await chainIn(t));
  t.match(sound, { ok: true, rows: ROWS });
  for (const [name, seq, message, sql] of CASES) {
    const directory = await chainIn(t);
    tamper(directory, sql);
    const verdict = await verifyAuditFile(directory);
    t.match(verdict, { ok: false, fault: { seq, message } }, name);
    const store = reopen(t, directory);
    t.strictSame(await store.verifyAudit(), verdict, `${name}: the running store says the same`);
    t.ok(Array.isArray(await store.audit({ limit: 10 })), `${name}: the rows can be looked at`);
    await store.commit({ audit: [auditRow('afterwards')] });
    // Of a last row that is sound in itself, only the next one says that it is not what was written.
    const { fault } = await store.verifyAudit();
    t.ok(fault && fault.seq >= seq && fault.seq <= Math.max(seq, ROWS) + 2, `${name}: not covered up by what follows`);
    await store.close();
  }
});

t.test('tampering with a pruned chain', async (t) => {
  const pruned = async (): Promise<string> => {
    const directory = await chainIn(t);
    const clock = new FakeClock();
    const store = openStore({ directory, clock, wallClock: () => START + 5_000, logger: silentLogger });
    for (let i = 0; i < 3; i++) await store.commit({ audit: [auditRow('young')] });
    await store.prune({ audit: START + 1, events: 0, history: 0 });
    t.match(await store.verifyAudit(), { ok: true, rows: 4 });
    await store.close();
    return directory;
  };
  const verdictOf = async (sql: string): Promise<AuditVerdict> => {
    const directory = await pruned();
    tamper(directory, sql);
    return verifyAuditFile(directory);
  };
  t.match(await verdictOf("DELETE FROM meta WHERE key = 'auditAnchor'"), { ok: false, fault: { seq: 1 } });
  const moved = `UPDATE meta SET value = (SELECT '{"seq":8,"hash":"' || hash || '"}' FROM audit WHERE seq = 8) WHERE key = 'auditAnchor'`;
  t.match(await verdictOf(moved), { ok: false, fault: { seq: 9, message: /cut off the beginning/ } });
  t.match(await verdictOf(`${moved}; DELETE FROM audit WHERE seq <= 8`), { ok: false, fault: { seq: 9 } });
  t.match(await verdictOf('DELETE FROM audit WHERE seq = 7'), { ok: false, fault: { seq: 7, message: /missing/ } });
});

t.test('documented commands give the same hash', { skip: lacking('sqlite3', 'sha256sum') || notShared }, async (t) => {
  const directory = newFolder(t);
  const { store } = newStore(t, directory);
  await store.commit({
    audit: [
      auditRow('a'),
      auditRow('b', { reason: 'ü "quoted" \\ \n\t\u0001\u001f\u007f/✓\u{1f600}', before: { z: 'ü\n"', a: [1.5e300] } }),
    ],
  });
  const [, row] = await store.audit({ limit: 2 });
  const page = readFileSync(new URL('../../docs/state.md', import.meta.url), 'utf8');
  const sql = /SELECT json_object[^;"]*?FROM audit WHERE seq = 2/.exec(page)?.[0] ?? '';
  const text = await run('sqlite3', [`${directory}/state.db`, sql]);
  t.equal(text.errors, '', 'sqlite3 reads the state while the store has it open');
  const sum = await run('sha256sum', [], text.output.subarray(0, -1));
  t.equal(sum.output.toString().slice(0, 64), row?.hash);
});

/**
 * kill -9 at any moment loses nothing that was acknowledged, leaves no half of a change, and frees the lock.
 *
 * Two of three times the writer is killed while it commits (and prunes), the third time while it opens: recovering what the last one left, or
 * making the state for the first time. The moments are drawn from a seed; where in a write they fall is the machine's doing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SeededRandom } from '../../src/runtime/random.ts';
import { newFolder, newStore, type Teardown } from '../kit/store.ts';
import { plainEnvironment } from './commands.ts';

const KILLS = 50;
/** Milliseconds. */
const LONGEST_OPENING = 15;
const LONGEST_WRITING = 80;

const WRITER = fileURLToPath(new URL('./store-writer.ts', import.meta.url));

class Writer {
  readonly child: ChildProcess;
  output = '';
  readonly #closed: Promise<unknown>;

  constructor(t: Teardown, directory: string) {
    this.child = spawn(process.execPath, [WRITER, directory], {
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#closed = once(this.child, 'close');
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk;
    });
    t.teardown(() => this.child.kill('SIGKILL'));
  }

  /** What it had acknowledged last, 0 for nothing; a line that was cut off does not count. */
  get acknowledged(): number {
    const lines = this.output.split('\n').slice(1, -1);
    return Number(lines.at(-1) ?? 0);
  }

  async said(line: string): Promise<void> {
    while (!this.output.includes(line)) {
      if (this.child.exitCode !== null) throw new Error(`the writer ended without having said ${line}`);
      await once(this.child.stdout!, 'data');
    }
  }

  async ended(): Promise<number | null> {
    await this.#closed;
    return this.child.exitCode;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#closed;
  }
}

t.setTimeout(110_000);

t.test('killed while writing', { timeout: 100_000 }, async (t) => {
  const random = new SeededRandom(12);
  const directory = newFolder(t);
  let acknowledged = 0;
  let killedWhileOpening = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const opening = kill % 3 === 2;
    const place = opening && kill % 2 === 0 ? newFolder(t) : directory;
    const writer = new Writer(t, place);
    await writer.said('opening');
    if (!opening) await writer.said(`opening\n${acknowledged + 1}\n`);
    await pause(random.next() * (opening ? LONGEST_OPENING : LONGEST_WRITING));
    const ended = writer.child.exitCode;
    await writer.kill();
    if (writer.acknowledged === 0) killedWhileOpening++;

    const expected = place === directory ? Math.max(acknowledged, writer.acknowledged) : writer.acknowledged;
    const { store } = newStore(t, place);
    const { revision } = store.state();
    const wrong = (await store.list('key/')).filter((entry) => entry.value !== entry.revision);
    const faults = [
      ended !== null && `the writer had ended by itself with status ${ended}`,
      // The commit under way when it was killed may be there, and no more than that one.
      revision !== expected && revision !== expected + 1 && `revision ${revision}, acknowledged ${expected}`,
      wrong.length > 0 && `${wrong.length} values of other commits`,
      (await store.list('key/')).length !== revision && 'a value is missing',
      ((await store.get('last'))?.value ?? 0) !== revision && 'half of a commit',
      (await store.lastEventId()) !== revision && 'an event is missing',
      ((await store.audit({ limit: 1, newest: true, action: 'weights.set' }))[0]?.target ?? 'key/0') !==
        `key/${revision}` && 'an audit row is missing',
      !(await store.verifyAudit()).ok && `the chain is broken: ${JSON.stringify(await store.verifyAudit())}`,
    ].filter(Boolean);
    t.strictSame(faults, [], `kill ${kill + 1} at revision ${revision}`);
    if (place === directory) acknowledged = revision;
    await store.close();
  }
  t.comment(`${acknowledged} commits, ${killedWhileOpening} of ${KILLS} kills before the first`);
  t.ok(acknowledged > KILLS);
});

t.test('a second process is refused while the first runs', async (t) => {
  const directory = newFolder(t);
  const first = new Writer(t, directory);
  await first.said('opening\n1\n');
  const second = new Writer(t, directory);
  t.equal(await second.ended(), 3);
  t.match(second.output, `${directory} is in use by process ${first.child.pid}: `);
  t.throws(() => newStore(t, directory), { name: 'DataLockedError', pid: first.child.pid });
  const before = first.acknowledged;
  await first.said(`\n${before + 2}\n`);
  await first.kill();
  t.ok(newStore(t, directory).store.state().revision >= before + 2, 'the lock went with the process');
});

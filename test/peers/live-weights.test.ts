/**
 * Live weights as users meet them: once a change of weights has been answered, every request that begins later is divided by it.
 *
 * Most of it is about a real process with two workers and the admin API. Which worker serves a connection cannot be seen from outside; with
 * this many connections, all of them on one worker has a chance of 1 in 2^23. A worker can only be ended from within its process, so for
 * that part the control plane runs here.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSource } from '../../src/control/change/config-source.ts';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { createLogger } from '../../src/control/log.ts';
import { AdminCalls, type Weights } from './admin-calls.ts';
import { freePort } from './free-port.ts';
import { KeepAliveAsker } from './keep-alive-asker.ts';
import { type Origin, startOrigin } from './origin.ts';
import { startSluice } from './sluice-process.ts';

const FLIPS = 50;
const ASKERS = 24;
const ALL_V1 = { v1: 100, v2: 0 };
const ALL_V2 = { v1: 0, v2: 100 };

/** Answers with its name, and with the number of the connection that the question came over. */
async function startVersion(t: Test, name: string): Promise<Origin> {
  const origin: Origin = await startOrigin(t, {
    '/shop': (_, response) => response.end(name),
    '/club': (_, response) => response.end(name),
    '/who': (request, response) => response.end(`${name} ${origin.connections.indexOf(request.socket)}`),
  });
  return origin;
}

/** `shop` has sessions, `club` splits by the hash of a header; requests without the header are split in turn. */
function configOf(v1: Origin, v2: Origin, adminPort: number): string {
  const service = {
    versions: { v1: { endpoints: [v1.url] }, v2: { endpoints: [v2.url] } },
    lanes: { stable: 'v1', canary: 'v2' },
  };
  const key = { header: 'X-User-Id' };
  return JSON.stringify({
    listen: '127.0.0.1:0',
    workers: 2,
    admin: { listen: `127.0.0.1:${adminPort}` },
    services: {
      shop: { ...service, affinity: key, split: { weights: ALL_V1 } },
      club: { ...service, split: { strategy: 'hash', key, weights: ALL_V1 } },
    },
    routes: [
      { match: { pathPrefix: '/club' }, service: 'club' },
      { match: { pathPrefix: '/' }, service: 'shop' },
    ],
  });
}

/**
 * Asks without pause while weights change, and judges what is certain: the answer to a question that was asked after one change had been
 * answered and was over before the next was sent.
 */
class Witness {
  judged = 0;
  readonly violations: string[] = [];
  /** What holds now, null while a change is under way. */
  #expected: string | null;
  #change = 0;

  constructor(expected: string) {
    this.#expected = expected;
  }

  changing(): void {
    this.#change++;
    this.#expected = null;
  }

  changed(version: string): void {
    this.#expected = version;
  }

  async ask(asker: KeepAliveAsker, path: string): Promise<void> {
    const expected = this.#expected;
    const change = this.#change;
    const answer = await asker.ask(path);
    if (answer !== 'v1' && answer !== 'v2') this.violations.push(answer);
    if (expected === null || change !== this.#change) return;
    this.judged++;
    if (answer !== expected) this.violations.push(`${path} was answered by ${answer}, not ${expected}`);
  }
}

t.test('a real process', async (t) => {
  const v1 = await startVersion(t, 'v1');
  const v2 = await startVersion(t, 'v2');
  const adminPort = await freePort();
  const sluice = await startSluice(t, configOf(v1, v2, adminPort));
  const admin = new AdminCalls(`http://127.0.0.1:${adminPort}`);
  t.teardown(() => admin.close());
  const asker = (user: string | null): KeepAliveAsker => new KeepAliveAsker(t, sluice.port, user);
  const askers = Array.from({ length: ASKERS }, (_, i) => asker(i % 2 === 0 ? null : `user ${i}`));
  /** All different answers of the askers. */
  const answersOf = async (path: string): Promise<string[]> => [
    ...new Set(await Promise.all(askers.map((each) => each.ask(path)))),
  ];
  const set = async (t: Test, service: string, weights: Weights): Promise<void> => {
    const { status, body, text } = await admin.setWeights(service, weights);
    t.equal(status, 200, text);
    t.equal(body.workers, 2, 'both workers have said so');
  };

  await t.test('connections on both workers', async (t) => {
    const workers = new Set<string>();
    for (const each of askers) workers.add(await each.ask('/who'));
    // One request at a time needs one upstream connection per worker.
    t.strictSame([...workers].sort(), ['v1 0', 'v1 1']);
  });

  await t.test(`${FLIPS} flips under load`, async (t) => {
    const witnesses = new Map(['shop', 'club'].map((service) => [service, new Witness('v1')]));
    let going = true;
    const load = askers.slice(ASKERS / 2).map(async (each) => {
      while (going) for (const [service, witness] of witnesses) await witness.ask(each, `/${service}`);
    });
    let generation = (await admin.status()).generation;
    const quiet = askers.slice(0, ASKERS / 2);
    for (let flip = 0; flip < FLIPS; flip++) {
      const version = flip % 2 === 0 ? 'v2' : 'v1';
      for (const [service, witness] of witnesses) {
        witness.changing();
        const { status, body } = await admin.setWeights(service, version === 'v2' ? ALL_V2 : ALL_V1);
        witness.changed(version);
        if (status !== 200 || body.workers !== 2 || body.generation !== generation + 1) {
          t.fail(`change ${flip} of ${service}: ${status} ${JSON.stringify(body)}`);
        }
        generation++;
        await Promise.all(quiet.map((each) => witness.ask(each, `/${service}`)));
      }
    }
    going = false;
    await Promise.all(load);
    for (const [service, { judged, violations }] of witnesses) {
      t.strictSame(violations, [], `${service}: ${judged} answers were judged`);
      t.ok(judged >= FLIPS * quiet.length);
    }
    t.ok(
      askers.every(({ connections }) => connections === 1),
      'no connection was closed',
    );
  });

  await t.test('sessions move only as weights demand', async (t) => {
    const users = Array.from({ length: 200 }, (_, i) => `session ${i}`);
    const onV2 = async (service: string): Promise<Set<string>> => {
      const answers = await Promise.all(users.map((user) => asker(user).ask(`/${service}`)));
      t.ok(answers.every((answer) => answer === 'v1' || answer === 'v2'));
      return new Set(users.filter((_, i) => answers[i] === 'v2'));
    };
    for (const service of ['shop', 'club']) {
      await set(t, service, ALL_V1);
      t.equal((await onV2(service)).size, 0);
      await set(t, service, { v1: 80, v2: 20 });
      const twenty = await onV2(service);
      t.ok(twenty.size > 20 && twenty.size < 60, `${service}: ${twenty.size} of 200 at 20 %`);
      t.strictSame(await onV2(service), twenty, 'the same over other connections');
      await set(t, service, { v1: 60, v2: 40 });
      const forty = await onV2(service);
      t.ok(forty.size > twenty.size && forty.isSupersetOf(twenty), `${forty.size} at 40 %, none moved back`);
      await set(t, service, { v1: 80, v2: 20 });
      t.strictSame(await onV2(service), twenty, 'and back at 20 % the same as before');
    }
  });

  await t.test('relative weights', async (t) => {
    const path = '/api/traffic-weights?service=shop';
    const { status, body } = await admin.call<{ weights: Weights }>('POST', path, { v1: 0, v2: 7 });
    t.equal(status, 200);
    t.strictSame(body.weights, ALL_V2);
    t.strictSame(await answersOf('/shop'), ['v2']);
    const thirds = await admin.call<{ weights: Weights }>('POST', path, { stable: 2, canary: 1 });
    t.strictSame(thirds.body.weights, { v1: 66.67, v2: 33.33 });
    const unnamed = await admin.call('POST', '/api/traffic-weights', { v1: 1 });
    t.equal(unnamed.status, 400, 'two services: it must be said which');
  });

  await t.test('rollback', async (t) => {
    await set(t, 'shop', ALL_V2);
    const { status, body } = await admin.call<{ weights: Weights; mode: string; workers: number }>(
      'POST',
      '/api/v1/services/shop/rollback',
      { reason: 'a test' },
    );
    t.strictSame([status, body.weights, body.mode, body.workers], [200, ALL_V1, 'immediate', 2]);
    t.strictSame(await answersOf('/shop'), ['v1']);
    t.strictSame((await admin.weights('club')).body.weights, { v1: 80, v2: 20 }, 'the other service is as before');
  });

  await t.test('two writers', async (t) => {
    const { etag } = await admin.weights('shop');
    if (etag === null) throw new Error('no entity tag');
    const wishes = [
      { v1: 90, v2: 10 },
      { v1: 70, v2: 30 },
      { v1: 50, v2: 50 },
    ];
    const answers = await Promise.all(wishes.map((wish) => admin.setWeights('shop', wish, { 'if-match': etag })));
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 412, 412], 'one of them has its way');
    const winner = wishes[answers.findIndex(({ status }) => status === 200)];
    const now = await admin.weights('shop');
    t.strictSame(now.body.weights, winner);
    t.equal(now.etag, answers.find(({ status }) => status === 200)?.etag, 'its answer has the new tag');
    t.not(now.etag, etag);
  });

  t.equal(sluice.child.exitCode, null, 'sluice lives');
});

t.test('a worker that is replaced runs with live weights', async (t) => {
  const v1 = await startVersion(t, 'v1');
  const v2 = await startVersion(t, 'v2');
  const folder = mkdtempSync(join(tmpdir(), 'sluice-weights-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sluice.yaml');
  writeFileSync(file, configOf(v1, v2, await freePort()));
  const source = fileSource([file], {});
  const plane = await ControlPlane.open({
    ...{ source, loaded: source.load(), release: 'test', onDrain: () => {} },
    logger: createLogger(() => {}),
  });
  await plane.start();
  t.teardown(() => plane.kill());
  const { supervisor } = plane;
  const port = supervisor.addresses[0]?.port ?? 0;
  const admin = new AdminCalls(plane.adminUrl ?? '');
  t.teardown(() => admin.close());

  const askNew = async (path: string): Promise<string> => {
    const each = new KeepAliveAsker(t, port, null);
    // Whoever connects to a worker in the moment of its end has no answer.
    return each.ask(path).catch(() => '');
  };
  for (const [index, weights, name, other] of [
    [0, ALL_V2, 'v2', v1],
    [1, ALL_V1, 'v1', v2],
  ] as const) {
    t.equal((await admin.setWeights('shop', weights)).body.workers, 2);
    const before = new Set<string>();
    for (let i = 0; i < ASKERS; i++) before.add(await askNew('/who'));
    const strays = other.connections.length;
    const dead = supervisor.workers[index];
    await dead?.terminate();
    // Changes go on while there is one worker, and while the next one starts.
    let changes = 0;
    for (const end = performance.now() + 20_000; supervisor.listening < 2 && performance.now() < end; changes++) {
      const { status, text } = await admin.setWeights('shop', weights);
      if (status !== 200) t.fail(text);
    }
    t.comment(`${changes} changes were made meanwhile`);
    t.not(supervisor.workers[index], dead);
    const after = new Set<string>();
    for (let i = 0; i < 4 * ASKERS; i++) after.add(await askNew('/who'));
    const fresh = [...after].filter((each) => !before.has(each));
    t.ok(fresh.length > 0 && fresh.every((each) => each.startsWith(name)), `the new worker goes by ${name} = 100`);
    t.equal(other.connections.length, strays, 'and nobody was sent elsewhere');
  }
});

/**
 * kill -9 under writes, again and again: everything that was acknowledged is there afterwards, in force, audited and told.
 *
 * Each writer changes a thing of its own and gives every change a reason of its own. At the kill it may have one change under way, which may
 * have become durable or not; everything before that must be there. The last process is looked at as its user would.
 */
import t from 'tap';
import type { FlagView, ServiceView } from '../../src/control/operations.ts';
import type { AuditRow } from '../../src/control/store/store.ts';
import { Dice } from '../fuzz/dice.ts';
import type { AdminAnswer } from './admin-calls.ts';
import {
  answersOf,
  configFor,
  eventsOf,
  newSite,
  type Running,
  startControl,
  threeUpstreams,
} from './control-process.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 6);
const SEED = Number(process.env.SEED ?? 1);

/** One thing that is changed all the time. */
interface Subject {
  readonly name: string;
  /** Makes it the `n`-th value. */
  write(running: Running, n: number, reason: string): Promise<AdminAnswer<unknown>>;
  /** What it is, in the same words as `value`. */
  read(running: Running): Promise<string>;
  value(n: number): string;
}

const service = async ({ calls }: Running, name: string): Promise<ServiceView> =>
  (await calls.call<ServiceView>('GET', `/api/v1/services/${name}`)).body;

function subjects(urls: Readonly<Record<'a' | 'b' | 'c', string>>): readonly Subject[] {
  const because = (reason: string): string => `?reason=${encodeURIComponent(reason)}`;
  const share = (n: number): number => (n * 7) % 101;
  return [
    {
      name: 'weights',
      write: ({ calls }, n, reason) =>
        calls.call('PUT', `/api/v1/services/shop/weights${because(reason)}`, { v1: 100 - share(n), v2: share(n) }),
      read: async (running) => String((await service(running, 'shop')).weights.v2),
      value: (n) => String(share(n)),
    },
    {
      name: 'flag',
      write: ({ calls }, n, reason) => calls.call('PUT', '/api/v1/flags/beta', { value: share(n), reason }),
      read: async ({ calls }) => String((await calls.call<FlagView>('GET', '/api/v1/flags/beta')).body.value),
      value: (n) => String(share(n)),
    },
    {
      name: 'lanes',
      write: ({ calls }, n, reason) =>
        calls.call('PUT', '/api/v1/services/blog/lanes', { canary: n % 2 === 0 ? 'v2' : null, reason }),
      read: async (running) => String((await service(running, 'blog')).lanes.canary),
      value: (n) => String(n % 2 === 0 ? 'v2' : undefined),
    },
    {
      name: 'version',
      write: ({ calls }, n, reason) =>
        calls.call('PUT', '/api/v1/services/blog/versions/v3', {
          endpoints: [{ url: urls.c, weight: 1 + share(n) }],
          reason,
        }),
      read: async (running) => {
        const { versions } = await service(running, 'blog');
        return String(versions.find(({ name }) => name === 'v3')?.endpoints[0]?.weight);
      },
      value: (n) => String(1 + share(n)),
    },
    {
      name: 'endpoint',
      write: ({ calls }, n, reason) => {
        const state = ['drain', 'disabled', 'enabled'][n % 3];
        return calls.call('PUT', '/api/v1/services/blog/endpoints/state', { url: urls.b, state, reason });
      },
      read: async (running) => {
        const { versions } = await service(running, 'blog');
        return versions.flatMap(({ endpoints }) => endpoints).find(({ url }) => url === urls.b)!.state;
      },
      value: (n) => ['draining', 'disabled', 'enabled'][n % 3]!,
    },
  ];
}

interface Written {
  /** Number of the last change that was acknowledged, and of the one that was under way. */
  acknowledged: number | null;
  attempted: number | null;
}

async function everyReason(running: Running): Promise<ReadonlySet<string>> {
  const reasons = new Set<string>();
  for (let since: number | null = 0; since !== null; ) {
    const answer: AdminAnswer<{ rows: AuditRow[]; next: number | null }> = await running.calls.call(
      'GET',
      `/api/v1/audit?limit=1000&since=${since}`,
    );
    for (const { reason } of answer.body.rows) reasons.add(reason);
    since = answer.body.next;
  }
  return reasons;
}

async function everyEventReason(running: Running): Promise<ReadonlySet<string>> {
  const reasons = new Set<string>();
  for (let since = 0; ; ) {
    const events = await eventsOf(running, since);
    for (const { data } of events) if (typeof data?.reason === 'string') reasons.add(data.reason);
    if (events.length < 1_000) return reasons;
    since = events.at(-1)!.id;
  }
}

t.test(`killed ${ROUNDS} times`, async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const blog = {
    versions: { v1: { endpoints: [urls.a, urls.b] }, v2: { endpoints: [urls.c] } },
    lanes: { stable: 'v1' },
  };
  const file = JSON.parse(
    configFor(site, urls, { workers: 1, flags: { beta: { default: 'off', key: { ip: true } } } }),
  );
  file.services.blog = blog;
  file.routes = [{ match: { host: 'blog' }, service: 'blog' }, { service: 'shop' }];
  const things = subjects(urls);
  const written = new Map<string, Written>(things.map(({ name }) => [name, { acknowledged: null, attempted: null }]));
  const acknowledged = new Set<string>();
  const dice = new Dice(SEED);
  let next = 1;

  let running = await startControl(t, site, JSON.stringify(file));
  for (let round = 0; round < ROUNDS; round++) {
    const target = acknowledged.size + 20 + dice.below(40);
    const reached = Promise.withResolvers<void>();
    let dead = false;
    const writers = things.map(async ({ name, write }) => {
      const own = written.get(name)!;
      while (!dead) {
        const n = next++;
        const reason = `${name} ${n}`;
        own.attempted = n;
        const answer = await write(running, n, reason).catch(() => null);
        if (answer === null) return;
        if (answer.status !== 200 && answer.status !== 201) throw new Error(`${reason}: ${answer.text}`);
        own.acknowledged = n;
        acknowledged.add(reason);
        if (acknowledged.size >= target) reached.resolve();
      }
    });
    const all = Promise.all(writers);
    await Promise.race([reached.promise, all]);
    dead = true;
    await running.kill();
    await all;
    running = await startControl(t, site, null);
    for (const { name, read, value } of things) {
      const { acknowledged: last, attempted } = written.get(name)!;
      const found = await read(running);
      const allowed = [last, attempted].flatMap((n) => (n === null ? [] : [value(n)]));
      if (!allowed.includes(found)) t.fail(`${name} is ${found} after kill ${round}, not ${allowed.join(' or ')}`);
    }
  }

  const audited = await everyReason(running);
  const told = await everyEventReason(running);
  t.strictSame(
    [...acknowledged].filter((reason) => !audited.has(reason)),
    [],
    `all of ${acknowledged.size} acknowledged changes are audited`,
  );
  const withReason = [...acknowledged].filter((reason) => /^(weights|flag) /.test(reason));
  t.ok(withReason.length > ROUNDS);
  t.strictSame(
    withReason.filter((reason) => !told.has(reason)),
    [],
    'and told',
  );
  t.match((await running.calls.call('GET', '/api/v1/audit/verify')).body, { ok: true });

  t.test('what was left is in force', async (t) => {
    await running.calls.setWeights('shop', { v1: 0, v2: 100 });
    await running.kill();
    const last = await startControl(t, site, null);
    t.strictSame(await answersOf(site, 20), { c: 20 }, 'for requests too, from the first one on');
    t.match((await service(last, 'shop')).overrides, ['weights']);
  });
});

import t from 'tap';
import type { KeySource } from '../../src/model/policy-config.ts';
import type { FlagSnapshot } from '../../src/model/snapshot.ts';
import { hashKey } from '../../src/proxy/balance/key-hash.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import type { ClientFacts } from '../../src/proxy/http1/field-rules.ts';
import type { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { Experiment } from '../../src/proxy/route/experiment.ts';
import { FlagPredicate, FlagSet, flagHeaders } from '../../src/proxy/route/flags.ts';
import { Rendezvous } from '../../src/proxy/route/rendezvous.ts';
import { BEHIND_PROXY, DIRECT, requestHead } from '../kit/request-head.ts';

const NAMES = new FieldNames(['x-user', 'x-flag-a', 'x-flag-b']);
const BY_QUERY: KeySource = { from: 'query', name: 'user' };
const USERS = 20_000;
const HEADS = Array.from({ length: USERS }, (_, i) => requestHead(`/?user=u${i}`, [], NAMES));
/** A chi-square variable with one degree of freedom is above this once in a thousand times. */
const ONE_IN_1000 = 10.83;

const flagOf = (name: string, share: number, more: Partial<FlagSnapshot> = {}): FlagSnapshot => ({
  name,
  share,
  key: BY_QUERY,
  header: null,
  ...more,
});

const setOf = (...flags: FlagSnapshot[]): FlagSet =>
  new FlagSet(flags, NAMES, (address) => address === BEHIND_PROXY.address);

/** What the flag `index` of the set is for one request. */
function ask(set: FlagSet, head: RequestHead, client: ClientFacts = DIRECT, index = 0): boolean {
  set.begin(head);
  return set.isOn(index, head, client);
}

const answers = (flag: FlagSnapshot): boolean[] => {
  const set = setOf(flag);
  return HEADS.map((head) => ask(set, head));
};

const count = (list: readonly boolean[]): number => list.filter((on) => on).length;

/** Pearson's statistic for the independence of two switches. */
function chiSquare(a: readonly boolean[], b: readonly boolean[]): number {
  const cells = [0, 0, 0, 0];
  a.forEach((on, i) => {
    cells[(on ? 2 : 0) + (b[i] ? 1 : 0)]!++;
  });
  const [ne, b1, a1, both] = cells as [number, number, number, number];
  const product = (ne + b1) * (a1 + both) * (ne + a1) * (b1 + both);
  return (a.length * (ne * both - a1 * b1) ** 2) / product;
}

t.test('each share of the users, within chance', async (t) => {
  for (const share of [1, 10, 500, 2_500, 5_000, 9_000, 9_999]) {
    const p = share / 10_000;
    const on = count(answers(flagOf(`share-${share}`, share)));
    t.ok(Math.abs(on - USERS * p) <= 4 * Math.sqrt(USERS * p * (1 - p)) + 1, `${share / 100} %: ${on} users`);
  }
});

t.test('off is off and on is on, with a key and without', async (t) => {
  t.equal(count(answers(flagOf('a', 0))), 0);
  t.equal(count(answers(flagOf('a', 10_000))), USERS);
  const nobody = requestHead('/', [], NAMES);
  for (const [share, expected] of [
    [0, false],
    [9_999, false],
    [10_000, true],
  ] as const) {
    t.equal(ask(setOf(flagOf('a', share)), nobody), expected, `${share} without the key in the request`);
    t.equal(ask(setOf(flagOf('a', share, { key: null })), nobody), expected, `${share} without a key in the flag`);
  }
  t.equal(ask(setOf(flagOf('a', 9_999)), requestHead('/?user=', [], NAMES)), false, 'an empty key is no key');
});

t.test('a share that rises takes the flag from nobody', async (t) => {
  let had = answers(flagOf('new-checkout', 1));
  for (const share of [2, 50, 100, 500, 2_000, 5_000, 9_999, 10_000]) {
    const has = answers(flagOf('new-checkout', share));
    t.notOk(
      had.some((on, i) => on && !has[i]),
      `${share / 100} %`,
    );
    t.ok(count(has) >= count(had));
    had = has;
  }
});

t.test('the same users for ever: on another worker, machine and release', async (t) => {
  const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'];
  const set = setOf(flagOf('new-checkout', 5_000), flagOf('banner', 5_000));
  const told = (index: number): string =>
    users.filter((user) => ask(set, requestHead(`/?user=${user}`, [], NAMES), DIRECT, index)).join(' ');
  t.equal(told(0), 'alice bob dave grace');
  t.equal(told(1), 'alice carol frank heidi');
  t.same(answers(flagOf('banner', 5_000)), answers(flagOf('banner', 5_000)));
});

t.test('flags are independent of each other, of experiments and of the rollout', async (t) => {
  const mine = answers(flagOf('v2', 5_000));
  const experiment = new Experiment(
    { name: 'v2', key: BY_QUERY, salt: 'v2', traffic: 50, weights: { v1: 50, v2: 50 } },
    (version) => (version === 'v1' ? 0 : 1),
    NAMES,
    () => false,
  );
  const groups = HEADS.map((head) => experiment.choose(head, DIRECT));
  const hashes = HEADS.map((_, i) => hashKey(`u${i}`));
  const rollout = new Rendezvous(['v1', 'v2'], [5_000, 5_000]);
  const others: Record<string, boolean[]> = {
    'another flag': answers(flagOf('v1', 5_000)),
    'a flag of nearly the same name': answers(flagOf('v2.', 5_000)),
    'a flag of another share': answers(flagOf('banner', 500)),
    'taking part in an experiment of the same name': groups.map((index) => index >= 0),
    'the version of a rollout with a version of the same name': hashes.map((hash) => rollout.pick(hash) === 1),
  };
  for (const [what, other] of Object.entries(others)) {
    const found = chiSquare(mine, other);
    t.ok(found < ONE_IN_1000, `${what}: chi-square ${found.toFixed(2)}`);
  }
  const takers = groups.flatMap((index, i) => (index < 0 ? [] : [[mine[i]!, index === 1] as const]));
  const versions = chiSquare(
    takers.map(([on]) => on),
    takers.map(([, second]) => second),
  );
  t.ok(versions < ONE_IN_1000, `the version in an experiment: chi-square ${versions.toFixed(2)}`);
  t.ok(chiSquare(mine, answers(flagOf('v2', 5_000))) > USERS * 0.99, 'the measure can tell');
});

t.test('independent for many names', async (t) => {
  const all = Array.from({ length: 12 }, (_, i) => answers(flagOf(`flag-${i}`, i % 2 === 0 ? 1_000 : 5_000)));
  let above = 0;
  let pairs = 0;
  for (let i = 0; i < all.length; i++) {
    for (let j = 0; j < i; j++, pairs++) if (chiSquare(all[i]!, all[j]!) > 3.84) above++;
  }
  t.ok(above <= 10, `${above} of ${pairs} are above the 5 % level; ${(pairs * 0.05).toFixed(1)} are expected`);
});

t.test('keys: header, cookie, query, address', async (t) => {
  const on = (key: KeySource, head: RequestHead, client = DIRECT): boolean =>
    ask(setOf(flagOf('keyed', 5_000, { key })), head, client);
  let different = 0;
  for (let i = 0; i < 60; i++) {
    const user = `user-${i}`;
    const expected = on(BY_QUERY, requestHead(`/?user=${user}`, [], NAMES));
    if (expected) different++;
    t.equal(on({ from: 'header', name: 'x-user' }, requestHead('/', [`X-User: ${user}`], NAMES)), expected);
    t.equal(on({ from: 'cookie', name: 'uid' }, requestHead('/', [`Cookie: a=b; uid=${user}`], NAMES)), expected);
    const address = `203.0.113.${i}`;
    const forwarded = requestHead('/', [`X-Forwarded-For: ${address}`], NAMES);
    const believed = on(BY_QUERY, requestHead(`/?user=${address}`, [], NAMES));
    t.equal(on({ from: 'address' }, forwarded, BEHIND_PROXY), believed, 'from a trusted proxy');
    const own = on(BY_QUERY, requestHead(`/?user=${DIRECT.address}`, [], NAMES));
    t.equal(on({ from: 'address' }, forwarded, DIRECT), own, 'from anybody else');
  }
  t.ok(different > 15 && different < 45, `${different} of 60`);
});

t.test('flags share what they read, and the next request is read anew', async (t) => {
  const header: KeySource = { from: 'header', name: 'x-user' };
  const set = setOf(
    flagOf('a', 5_000),
    flagOf('b', 5_000, { key: header }),
    flagOf('c', 5_000, { key: { ...header } }),
    flagOf('d', 9_999, { key: null }),
    flagOf('e', 5_000, { key: { from: 'header', name: 'x-flag-a' } }),
  );
  const alone = (name: string, user: string): boolean =>
    ask(setOf(flagOf(name, 5_000)), requestHead(`/?user=${user}`, [], NAMES));
  for (let i = 0; i < 40; i++) {
    const head = requestHead(`/?user=q${i}`, [`X-User: h${i}`, `X-Flag-A: o${i}`], NAMES);
    set.begin(head);
    const found = [0, 1, 2, 3, 1, 0, 4].map((index) => set.isOn(index, head, DIRECT));
    const [a, b, c, e] = [alone('a', `q${i}`), alone('b', `h${i}`), alone('c', `h${i}`), alone('e', `o${i}`)];
    t.strictSame(found, [a, b, c, false, b, a, e]);
  }
});

t.test('the upstream is told, and the client cannot', async (t) => {
  const flags = [
    flagOf('a', 10_000, { header: 'X-Flag-A' }),
    flagOf('silent', 10_000),
    flagOf('b', 5_000, { header: 'x-flag-B' }),
  ];
  const set = setOf(...flags);
  t.strictSame(flagHeaders([...flags, flagOf('c', 1, { key: { from: 'header', name: 'x-user' } })]), [
    'x-flag-a',
    'x-flag-b',
    'x-user',
  ]);
  for (const user of ['alice', 'bob', 'carol', 'dave']) {
    const spoof = ['X-FLAG-A: false', 'X-Flag-B: true', 'x-flag-a: 0', 'X-Other: 1', 'x-flag-b: false'];
    const head = requestHead(`/?user=${user}`, spoof, NAMES);
    set.begin(head);
    const on = set.isOn(2, head, DIRECT);
    t.equal(set.lines(head, DIRECT), `X-Flag-A: true\r\nx-flag-B: ${on}\r\n`);
    t.equal(head.has(NAMES.idOf('x-flag-a')), false);
    const drop = new Uint8Array(256).fill(1, 1, 2);
    t.equal(head.keep(drop), 'Host: shop.example.com\r\nX-Other: 1\r\n');
  }
  t.equal(setOf(flagOf('silent', 10_000)).lines(HEADS[0]!, DIRECT), '');
});

t.test('predicates', async (t) => {
  const set = setOf(flagOf('on', 10_000), flagOf('off', 0));
  const head = HEADS[0]!;
  set.begin(head);
  for (const [name, asked, holds] of [
    ['on', true, true],
    ['on', false, false],
    ['off', true, false],
    ['off', false, true],
  ] as const) {
    t.equal(new FlagPredicate(set, name, asked).accepts(head, DIRECT), holds, `${name}: ${asked}`);
  }
});

/**
 * How often the affinity table knows a session, on a workload of visits by 100,000 users, and what a look-up costs.
 *
 * The workload runs in virtual time, four hours of it from an empty table. Visits arrive as a Poisson process; who comes is drawn by Zipf's law
 * with exponent 1, so the first of the 100,000 users makes every twelfth visit and most of them come once or never. A visit is a
 * number of pages, geometric around 6, with exponential pauses around 30 s between them; a page is a burst of requests,
 * uniform around 10. A browser spreads a burst over three connections, which last until they were idle for 60 s; the kernel gives
 * each new connection to any worker. Each worker has a table of its own, as in the proxy. A user who stays away for longer than
 * the time to live (1 h, the default) comes back without a cookie and begins a new session, whose first request cannot be a hit. Everything is
 * counted, cold start included.
 *
 * What it leaves out: bots that never send a cookie back (they would never hit, and each of their requests takes an entry), and users who hide
 * behind one key.
 *
 * Hit rates are repeatable, the seed is fixed; nanoseconds are of this machine. `node bench/affinity.ts` writes bench/results/affinity.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { hashKey } from '../src/proxy/balance/key-hash.ts';
import { AffinityTable } from '../src/proxy/route/affinity-table.ts';
import { Rendezvous } from '../src/proxy/route/rendezvous.ts';
import { type Clock, FakeClock, systemClock } from '../src/runtime/clock.ts';
import { SeededRandom } from '../src/runtime/random.ts';
import { describeMachine } from './machine.ts';

const USERS = 100_000;
const VISITS = 100_000;
const HOUR = 3_600_000;
const DURATION = 4 * HOUR;
const SCATTERED = 4_000_000;
const TTL = HOUR;
const PAGES = 6;
const PAUSE = 30_000;
const CONNECTIONS = 3;
const KEEP_ALIVE = 60_000;
const DEFAULT_MAX = 100_000;
/** Users of a higher rank are called regular: the few before them are shared keys and machines more than people. */
const BUSY = 1_000;

/** Pages in order of time. */
interface Trace {
  readonly times: Float64Array;
  readonly users: Uint32Array;
  readonly bursts: Uint16Array;
  readonly requests: number;
}

function zipf(random: SeededRandom): () => number {
  const upTo = new Float64Array(USERS);
  let sum = 0;
  for (let i = 0; i < USERS; i++) upTo[i] = sum += 1 / (i + 1);
  return () => {
    const at = random.next() * sum;
    let low = 0;
    let high = USERS - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** @param burst mean number of requests of a page. @param pageMean mean number of pages of a visit. */
function makeTrace(burst: number, pageMean = PAGES, visits = VISITS): Trace {
  const random = new SeededRandom(20_260_101);
  const user = zipf(random);
  const exponential = (mean: number): number => -Math.log(1 - random.next()) * mean;
  const pages: { time: number; user: number; burst: number }[] = [];
  let arrival = 0;
  for (let visit = 0; visit < visits; visit++) {
    arrival += exponential(DURATION / visits);
    const who = user();
    let time = arrival;
    do {
      pages.push({ time, user: who, burst: 1 + Math.floor(random.next() * (2 * burst - 1)) });
      time += exponential(PAUSE);
    } while (random.next() >= 1 / pageMean);
  }
  pages.sort((a, b) => a.time - b.time);
  return {
    times: Float64Array.from(pages, (page) => page.time),
    users: Uint32Array.from(pages, (page) => page.user),
    bursts: Uint16Array.from(pages, (page) => page.burst),
    requests: pages.reduce((sum, page) => sum + page.burst, 0),
  };
}

interface Result {
  readonly hitRate: number;
  /** Of the users after the first BUSY. */
  readonly regular: number;
  /** Of the last hour. */
  readonly warm: number;
  readonly sessions: number;
  readonly entries: number;
  /** Requests that got another version than their session had before. */
  readonly moved: number;
}

const share = (hits: number, all: number): number => (all === 0 ? 0 : hits / all);

function replay(trace: Trace, max: number, workers: number): Result {
  const random = new SeededRandom(7);
  const clock = new FakeClock();
  const tables = Array.from({ length: workers }, () => new AffinityTable<number, null>({ ttl: TTL, max }, clock));
  const rendezvous = new Rendezvous(['v1', 'v2'], [9_000, 1_000]);
  const lastSeen = new Float64Array(USERS).fill(Number.NEGATIVE_INFINITY);
  const keys: string[] = new Array<string>(USERS).fill('');
  const versions = new Int8Array(USERS);
  const workerOf = new Uint8Array(USERS * CONNECTIONS);
  const count = { all: 0, hits: 0, regular: 0, regularHits: 0, warm: 0, warmHits: 0, sessions: 0, moved: 0 };
  for (let page = 0; page < trace.times.length; page++) {
    const time = trace.times[page]!;
    const user = trace.users[page]!;
    clock.advance(time - clock.now());
    const away = time - lastSeen[user]!;
    lastSeen[user] = time;
    if (away > TTL) {
      keys[user] = sessionId(user, count.sessions++);
      versions[user] = rendezvous.pick(hashKey(keys[user]!));
    }
    if (away > KEEP_ALIVE) {
      for (let i = 0; i < CONNECTIONS; i++) workerOf[user * CONNECTIONS + i] = Math.floor(random.next() * workers);
    }
    for (let i = 0; i < trace.bursts[page]!; i++) {
      const table = tables[workerOf[user * CONNECTIONS + (i % CONNECTIONS)]!]!;
      const key = keys[user]!;
      // The first request of a session has no cookie to look up.
      const session = away > TTL && i === 0 ? null : table.find(key);
      const version = session === null ? rendezvous.pick(hashKey(key)) : session.version;
      if (session === null) table.remember(key, version, null, 1);
      const hit = session === null ? 0 : 1;
      count.all++;
      count.hits += hit;
      if (version !== versions[user]) count.moved++;
      if (user >= BUSY) {
        count.regular++;
        count.regularHits += hit;
      }
      if (time > DURATION - HOUR) {
        count.warm++;
        count.warmHits += hit;
      }
    }
  }
  return {
    hitRate: share(count.hits, count.all),
    regular: share(count.regularHits, count.regular),
    warm: share(count.warmHits, count.warm),
    sessions: count.sessions,
    entries: Math.max(...tables.map((table) => table.size)),
    moved: count.moved,
  };
}

/** 32 hexadecimal digits, as the cookie has them. */
const sessionId = (user: number, session: number): string =>
  [1, 2, 3, 4].map((seed) => hashKey(`${user}:${session}`, seed).toString(16).padStart(8, '0')).join('');

/**
 * Nanoseconds of one look-up in a full table, in the order of the trace. Each key is cut out of text of its own, as it comes out of a head,
 * so that it has to be hashed; cutting alone is timed as well and taken off.
 */
function timeLookups(trace: Trace, clock: Clock): number {
  const table = new AffinityTable<number, null>({ ttl: TTL, max: DEFAULT_MAX }, clock);
  const text = Buffer.alloc(USERS * 64, 'x');
  for (let user = 0; user < USERS; user++) {
    const key = sessionId(user, 0);
    text.write(key, user * 64 + 16, 'latin1');
    table.remember(key, 0, null, 1);
  }
  const lookups = 1_000_000;
  const users = Uint32Array.from({ length: lookups }, (_, i) => trace.users[i % trace.users.length]!);
  let found = 0;
  const cut = (user: number): string => text.toString('latin1', user * 64, user * 64 + 64).slice(16, 48);
  const time = (run: (user: number) => void): number => {
    const start = performance.now();
    for (const user of users) run(user);
    return ((performance.now() - start) * 1e6) / lookups;
  };
  const rounds: number[] = [];
  for (let round = 0; round < 7; round++) {
    const cutting = time((user) => {
      found += cut(user).length;
    });
    const both = time((user) => {
      if (table.find(cut(user)) !== null) found++;
    });
    rounds.push(both - cutting);
  }
  if (found < lookups) throw new Error('look-ups found nothing');
  return rounds.sort((a, b) => a - b)[3]!;
}

const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;
const thousands = (value: number): string => value.toLocaleString('en-GB');

const trace = makeTrace(10);
const lines: string[] = [];
const print = (line: string): void => {
  lines.push(line);
  console.log(line);
};

print('# Session affinity: hit rate and cost');
print('');
print(
  'Made by `node bench/affinity.ts`; do not edit. What the workload is, and what it leaves out, stands at the head of that file.',
);
print('');
print(
  `${thousands(USERS)} users, ${thousands(VISITS)} visits and ${thousands(trace.requests)} requests in ${DURATION / HOUR} h of virtual time, ` +
    `time to live ${TTL / HOUR} h, from empty tables.`,
);
print('');
print('| `max` | workers | hit rate | users after the first 1,000 | last hour | entries per worker | moved |');
print('|---:|---:|---:|---:|---:|---:|---:|');
let unsteady = 0;
for (const workers of [1, 2, 4]) {
  for (const max of [DEFAULT_MAX, 20_000, 5_000, 1_000]) {
    const result = replay(trace, max, workers);
    unsteady += result.moved;
    const cells = [percent(result.hitRate), percent(result.regular), percent(result.warm)];
    print(`| ${thousands(max)} | ${workers} | ${cells.join(' | ')} | ${thousands(result.entries)} | ${result.moved} |`);
  }
}
print('');
print(
  '`moved`: requests that got another version than their session had before, on any worker. A miss is decided by the hash of the key.',
);
print('');
print(
  'With the default `max`, how the hit rate depends on the length of a visit (only its first request per worker can miss):',
);
print('');
print('| requests per visit | 1 worker | 2 workers | 4 workers |');
print('|---:|---:|---:|---:|');
for (const burst of [2, 5, 10, 20]) {
  const visits = burst === 10 ? trace : makeTrace(burst);
  const rates = [1, 2, 4].map((workers) => percent(replay(visits, DEFAULT_MAX, workers).hitRate));
  print(`| ${burst * PAGES} | ${rates.join(' | ')} |`);
}
const scattered = makeTrace(1, 1, SCATTERED);
const scatteredRates = [1, 2, 4].map((workers) => percent(replay(scattered, DEFAULT_MAX, workers).hitRate));
print(`| 1 ¹ | ${scatteredRates.join(' | ')} |`);
print('');
print(
  `¹ No visits at all: each of ${thousands(SCATTERED)} requests comes from a user drawn anew. What misses is the first request of a user ` +
    'after more than the time to live, once per worker.',
);
print('');
const machine = describeMachine();
print(
  `A look-up in a table of ${thousands(USERS)} sessions: ${timeLookups(trace, systemClock).toFixed(0)} ns, clock included ` +
    `(${machine.processor}, ${machine.cores} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}).`,
);

const directory = new URL('./results/', import.meta.url);
mkdirSync(directory, { recursive: true });
writeFileSync(new URL('affinity.md', directory), `${lines.join('\n')}\n`);
if (unsteady > 0) throw new Error(`${unsteady} requests changed versions`);

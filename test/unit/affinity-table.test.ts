import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { AffinityTable } from '../../src/proxy/route/affinity-table.ts';
import { FakeClock } from '../../src/runtime/clock.ts';

const MINUTE = 60_000;

function setUp(max = 100, ttl = 60 * MINUTE) {
  const clock = new FakeClock();
  return { clock, table: new AffinityTable<string, string>({ ttl, max }, clock) };
}

t.test('what was remembered is found, and can be changed in place', async (t) => {
  const { table } = setUp();
  t.equal(table.find('u1'), null);
  const made = table.remember('u1', 'v1', null, 1);
  const found = table.find('u1')!;
  t.equal(found, made);
  t.match(found, { version: 'v1', endpoint: null, division: 1 });
  found.endpoint = 'http://127.0.0.1:3001';
  found.division = 2;
  t.match(table.find('u1'), { endpoint: 'http://127.0.0.1:3001', division: 2 });
  t.equal(table.remember('u1', 'v2', null, 3), made, 'the entry of a known key is used again');
  t.match(made, { version: 'v2', endpoint: null, division: 3 });
  t.equal(table.size, 1);
  t.equal(table.find('u2'), null);
  t.equal(table.find('U1'), null);
  table.clear();
  t.equal(table.size, 0);
  t.equal(table.find('u1'), null);
});

t.test('the time to live counts from the last use, also from the moment that the clock starts at', async (t) => {
  const { clock, table } = setUp(100, 10 * MINUTE);
  table.remember('u1', 'v1', null, 1);
  table.remember('u2', 'v1', null, 1);
  for (let i = 0; i < 5; i++) {
    clock.advance(9 * MINUTE);
    t.not(table.find('u1'), null, `used every nine minutes, after ${9 * (i + 1)}`);
  }
  t.equal(table.find('u2'), null, 'not used for longer than ten');
  clock.advance(10 * MINUTE);
  t.not(table.find('u1'), null, 'exactly the time to live');
  clock.advance(10 * MINUTE + 1);
  t.equal(table.find('u1'), null, 'just over it');
  t.equal(table.size, 0, 'what has expired goes when it is asked for');
  table.remember('u1', 'v2', null, 2);
  t.equal(table.find('u1')?.version, 'v2');
});

t.test('remembering counts as a use', async (t) => {
  const { clock, table } = setUp(100, 10 * MINUTE);
  table.remember('u1', 'v1', null, 1);
  clock.advance(9 * MINUTE);
  table.remember('u1', 'v1', null, 2);
  clock.advance(9 * MINUTE);
  t.not(table.find('u1'), null);
});

t.test('the session that was not used for longest makes room', async (t) => {
  const { table } = setUp(3);
  for (const key of ['a', 'b', 'c']) table.remember(key, 'v1', null, 1);
  table.find('a');
  table.remember('d', 'v1', null, 1);
  t.equal(table.size, 3);
  t.equal(table.find('b'), null);
  for (const key of ['a', 'c', 'd']) t.not(table.find(key), null, key);
});

t.test('long keys are told apart by all of their characters', async (t) => {
  const { table } = setUp();
  const long = 'x'.repeat(8_000);
  table.remember(`${long}1`, 'v1', null, 1);
  table.remember(`${long}2`, 'v2', null, 1);
  t.equal(table.find(`${long}1`)?.version, 'v1');
  t.equal(table.find(`${long}2`)?.version, 'v2');
  t.equal(table.find(long), null);
  table.remember('é'.repeat(200), 'v3', null, 1);
  table.remember('日本'.repeat(10), 'v4', null, 1);
  table.remember('日本'.repeat(200), 'v5', null, 1);
  t.equal(table.find('é'.repeat(200))?.version, 'v3');
  t.equal(table.find('日本'.repeat(10))?.version, 'v4');
  t.equal(table.find('日本'.repeat(200))?.version, 'v5');
});

t.test('a key does not keep the head that it was cut from', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { table } = setUp(4_000);
  const heads = 4_000;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < heads; i++) {
    const key = `session-of-user-${String(i).padStart(16, '0')}`;
    const head = Buffer.from(`GET / HTTP/1.1\r\nX-User: ${key}\r\nX-Fill: ${'x'.repeat(16_000)}\r\n\r\n`).toString(
      'latin1',
    );
    const from = head.indexOf('session-of');
    table.remember(head.slice(from, from + key.length), 'v1', null, 1);
  }
  collect();
  const perSession = (process.memoryUsage().heapUsed - before) / heads;
  t.equal(table.size, heads);
  t.ok(perSession < 1_000, `${perSession.toFixed(0)} bytes per session, of heads of 16,000`);
});

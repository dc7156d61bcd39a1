/** Parts of tracing by themselves: the form of `traceparent`, the clock, and what waits for the main thread. */
import t from 'tap';
import { LIMITS } from '../../bench/micro/samples.ts';
import { newRateMemory, RateTable } from '../../src/model/rate-table.ts';
import type { TraceRecord } from '../../src/model/trace-record.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { clientFacts } from '../../src/proxy/http1/field-rules.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { isTraceParent } from '../../src/proxy/http1/trace-context.ts';
import { Tracing, tracedHeaders } from '../../src/proxy/record/tracing.ts';
import { BATCH, LIMIT, TracingOutbox } from '../../src/proxy/record/tracing-outbox.ts';
import { RandomRequestIds } from '../../src/proxy/request-ids.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

/** The form of the recommendation, as one expression. */
const FORM = /^(?!ff)(?!00.{53}-)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/;
const GOOD = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

t.test('traceparent: the walk and the expression agree', async (t) => {
  const check = (value: string): void => {
    const padded = `x${value}y`;
    if (isTraceParent(padded, 1, 1 + value.length) !== FORM.test(value)) t.fail(JSON.stringify(value));
  };
  const named = [
    GOOD,
    '',
    `${GOOD}-more`,
    `cc${GOOD.slice(2)}-more`,
    `${GOOD}more`,
    GOOD.slice(0, -1),
    GOOD.replace('00-', 'ff-'),
    GOOD.replace('00-', 'fe-'),
    GOOD.toUpperCase(),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
  ];
  for (const value of named) check(value);
  t.strictSame(
    named.map((value) => FORM.test(value)),
    [true, false, false, true, false, false, false, true, false, false, false],
  );
  const dice = new SeededRandom(7);
  const chars = '0123456789abcdefg-GF\xff ';
  for (let i = 0; i < 20_000; i++) {
    const at = Math.floor(dice.next() * GOOD.length);
    const char = chars[Math.floor(dice.next() * chars.length)]!;
    check(GOOD.slice(0, at) + char + GOOD.slice(at + (dice.next() < 0.1 ? 0 : 1)));
  }
  t.pass('20,000 values');
});

function traced(wall: () => number) {
  const config = { sample: 100, parent: 'respect', maxPerSecond: 1 } as const;
  const names = new FieldNames(tracedHeaders(config));
  const head = new RequestHead(LIMITS, names);
  const bytes = Buffer.from(
    `GET /${'p'.repeat(3_000)}?q HTTP/1.1\r\nHost: a\r\nUser-Agent: ${'u'.repeat(3_000)}\r\n\r\n`,
  );
  head.parse(bytes, 0, bytes.length);
  const tracing = new Tracing({
    ...{
      random: new SeededRandom(1),
      ids: new RandomRequestIds(),
      origin: 0,
      wall,
      rates: new RateTable(newRateMemory(0)),
    },
    ...{ counters: { spansDropped: () => {} }, isTrusted: () => false, send: () => {} },
  });
  tracing.configure(config, names);
  return (now: number) => tracing.begin(head, clientFacts('192.0.2.7', false, 'http'), now)!;
}

t.test(
  'the time of day is kept to a fraction of a millisecond, drifts along, and follows a clock that is set',
  async (t) => {
    let real = 1_700_000_000_000.75;
    let now = 5_000;
    const begin = traced(() => Math.floor(real));
    for (let i = 0; i < 200; i++) {
      real += 7.31;
      now += 7.31;
      begin(now);
    }
    t.ok(Math.abs(begin(now).start - real) < 0.1, `${begin(now).start - real} ms off`);
    for (let i = 0; i < 1_000; i++) {
      real += 1_000;
      now += 999.9;
      begin(now);
    }
    t.ok(Math.abs(begin(now).start - real) < 1.1, 'a monotonic clock that is slow');
    real -= 3_600_000;
    t.ok(Math.abs(begin(now).start - real) < 1.1, 'an hour back');
  },
);

t.test('what a client chose is bounded', async (t) => {
  const { path, userAgent } = traced(() => 0)(0);
  t.strictSame([path.length, userAgent.length], [1_024, 256]);
});

t.test('the outbox: batches, one at a time, a bound, and everything at the end', async (t) => {
  const sent: number[] = [];
  let dropped = 0;
  const outbox = new TracingOutbox((records) => void sent.push(records.length), {
    spansDropped: (count) => {
      dropped += count;
    },
  });
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) outbox.add({ attempts: [1, 2] } as unknown as TraceRecord);
  };
  outbox.flush();
  t.strictSame(sent, [], 'nothing to send');
  add(BATCH - 1);
  t.strictSame(sent, []);
  outbox.flush();
  t.strictSame(sent, [BATCH - 1]);
  add(LIMIT + 5);
  outbox.flush();
  t.strictSame([sent, dropped], [[BATCH - 1], 15]);
  outbox.taken();
  t.strictSame(sent, [BATCH - 1, BATCH]);
  outbox.close();
  t.equal(
    sent.reduce((sum, count) => sum + count),
    BATCH - 1 + LIMIT,
  );
});

import t from 'tap';
import type { FaultConfig } from '../../src/model/policy-config.ts';
import { FaultInjector } from '../../src/proxy/admit/fault.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const LIMITS = {
  headSize: 16_384,
  headerCount: 100,
  targetLength: 8_192,
  bodySize: 0,
  connections: 100,
  connectionsPerAddress: 0,
};
const NAMES = new FieldNames(['x-chaos']);

const injector = (config: FaultConfig, seed = 1): FaultInjector =>
  new FaultInjector(config, NAMES, new SeededRandom(seed));

function headWith(...lines: readonly string[]): RequestHead {
  const bytes = Buffer.from(
    `GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
    'latin1',
  );
  const head = new RequestHead(LIMITS, NAMES);
  if (head.parse(bytes, 0, bytes.length) !== bytes.length) throw new Error(head.fault);
  return head;
}

/** How often each result came in `n` calls. */
function tally(n: number, roll: () => number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const result = roll();
    counts.set(result, (counts.get(result) ?? 0) + 1);
  }
  return counts;
}

t.test('without a header every request is meant', async (t) => {
  t.ok(injector({ abort: { status: 503, percent: 100 } }).applies(headWith()));
});

t.test('with a header only requests that bear it are, whatever its value', async (t) => {
  const fault = injector({ header: 'x-chaos', abort: { status: 503, percent: 100 } });
  t.notOk(fault.applies(headWith()));
  t.notOk(fault.applies(headWith('X-Chaotic: 1')));
  t.ok(fault.applies(headWith('X-Chaos: 1')));
  t.ok(fault.applies(headWith('x-chaos:')));
});

t.test('a header that nobody has numbered is never there', async (t) => {
  const fault = injector({ header: 'x-other', abort: { status: 503, percent: 100 } });
  t.notOk(fault.applies(headWith('X-Other: 1')));
});

t.test('what is not configured does not happen', async (t) => {
  const nothing = injector({});
  t.strictSame([...tally(1_000, () => nothing.delay() + nothing.abortStatus()).keys()], [0]);
  const never = injector({ delay: { by: 50, percent: 0 }, abort: { status: 500, percent: 0 } });
  t.strictSame([...tally(1_000, () => never.delay() + never.abortStatus()).keys()], [0]);
});

t.test('a hundred percent is every request', async (t) => {
  const always = injector({ delay: { by: 50, percent: 100 }, abort: { status: 500, percent: 100 } });
  t.strictSame([...tally(1_000, () => always.delay())], [[50, 1_000]]);
  t.strictSame([...tally(1_000, () => always.abortStatus())], [[500, 1_000]]);
});

t.test('shares are kept, and delay and abort are independent', async (t) => {
  const n = 100_000;
  const fault = injector({ delay: { by: 2_000, percent: 10 }, abort: { status: 503, percent: 0.5 } }, 42);
  const both = tally(n, () => fault.delay() + fault.abortStatus());
  const within = (count: number, share: number, what: string): void => {
    const sigma = Math.sqrt(n * share * (1 - share));
    t.ok(Math.abs(count - n * share) <= 4 * sigma, `${what}: ${count} of ${n * share}`);
  };
  within((both.get(2_000) ?? 0) + (both.get(2_503) ?? 0), 0.1, 'delayed');
  within((both.get(503) ?? 0) + (both.get(2_503) ?? 0), 0.005, 'aborted');
  within(both.get(2_503) ?? 0, 0.0005, 'both');
});

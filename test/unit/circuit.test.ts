import t from 'tap';
import { newWorkerMemory, VERSION_SLOTS, versionSlot } from '../../src/model/counters.ts';
import type { CircuitConfig } from '../../src/model/policy-config.ts';
import { Circuit } from '../../src/proxy/admit/circuit.ts';

const UNLIMITED: CircuitConfig = { maxRequests: 0, maxConnections: 0, maxPending: 0, maxRetries: 0 };
const VERSION = 5;

/** The circuits of one version in `workers` workers, and their counters. */
function circuits(config: Partial<CircuitConfig>, workers: number) {
  const blocks = Array.from({ length: workers }, () => newWorkerMemory().counters);
  return { blocks, all: blocks.map((own) => new Circuit({ ...UNLIMITED, ...config }, VERSION, own, blocks)) };
}

const gauge = (block: Float64Array, name: 'active' | 'retrying' | 'pending'): number =>
  block[versionSlot(VERSION) + VERSION_SLOTS[name]]!;

t.test('requests are bounded over all workers', async (t) => {
  const { blocks, all } = circuits({ maxRequests: 3 }, 2);
  const [a, b] = all as [Circuit, Circuit];
  t.ok(a.tryEnter());
  t.ok(a.tryEnter());
  t.ok(b.tryEnter());
  t.notOk(a.tryEnter());
  t.notOk(b.tryEnter());
  t.strictSame(
    blocks.map((block) => gauge(block, 'active')),
    [2, 1],
    'each counts its own, refused ones not at all',
  );
  a.leave();
  t.ok(b.tryEnter());
  t.notOk(a.tryEnter());
});

t.test('further attempts are bounded over all workers, apart from requests', async (t) => {
  const { blocks, all } = circuits({ maxRequests: 1, maxRetries: 2 }, 2);
  const [a, b] = all as [Circuit, Circuit];
  t.ok(a.tryEnter());
  t.ok(a.tryRetry());
  t.ok(b.tryRetry());
  t.notOk(a.tryRetry());
  b.retryEnded();
  t.ok(a.tryRetry());
  t.strictSame(
    blocks.map((block) => gauge(block, 'retrying')),
    [2, 0],
  );
});

t.test('connections and those that wait for one are divided among the workers', async (t) => {
  const { all, blocks } = circuits({ maxConnections: 10, maxPending: 4 }, 3);
  t.strictSame(
    all.map((circuit) => [circuit.maxConnections, circuit.maxPending]),
    [
      [4, 2],
      [4, 2],
      [4, 2],
    ],
  );
  const [a, b] = all as [Circuit, Circuit, Circuit];
  t.ok(a.tryWait());
  t.ok(a.tryWait());
  t.notOk(a.tryWait());
  t.ok(b.tryWait(), 'the share of another worker is untouched');
  a.waited();
  t.ok(a.tryWait());
  t.equal(gauge(blocks[0]!, 'pending'), 2);
});

t.test('every worker may have one', async (t) => {
  const { all } = circuits({ maxConnections: 1, maxPending: 1 }, 4);
  t.equal(all[3]!.maxConnections, 1);
  t.equal(all[3]!.maxPending, 1);
});

t.test('without bounds nothing is refused, and everything is counted', async (t) => {
  const { all, blocks } = circuits({}, 2);
  const circuit = all[0]!;
  t.equal(circuit.maxConnections, 0);
  t.equal(circuit.maxPending, 0);
  for (let i = 0; i < 10_000; i++) {
    if (!circuit.tryEnter() || !circuit.tryRetry() || !circuit.tryWait()) t.fail('refused');
  }
  const own = blocks[0]!;
  t.strictSame([gauge(own, 'active'), gauge(own, 'retrying'), gauge(own, 'pending')], [10_000, 10_000, 10_000]);
  for (let i = 0; i < 10_000; i++) {
    circuit.leave();
    circuit.retryEnded();
    circuit.waited();
  }
  t.ok(blocks.every((block) => block.every((value) => value === 0)));
});

t.test('a new snapshot finds what the last one left in flight', async (t) => {
  const { all, blocks } = circuits({ maxRequests: 2 }, 1);
  t.ok(all[0]!.tryEnter());
  const next = new Circuit({ ...UNLIMITED, maxRequests: 1 }, VERSION, blocks[0]!, blocks);
  t.notOk(next.tryEnter());
  all[0]!.leave();
  t.ok(next.tryEnter());
  t.ok(new Circuit({ ...UNLIMITED, maxRequests: 1 }, VERSION + 1, blocks[0]!, blocks).tryEnter(), 'another version');
});

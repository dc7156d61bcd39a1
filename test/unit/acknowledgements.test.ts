/** Waiting for workers: those that say yes, no, nothing, or die. Workers here are no threads but what is asked of them. */
import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { Acknowledgements, type Reading } from '../../src/control/acknowledgements.ts';
import type { FromWorker, ToWorker } from '../../src/model/worker-messages.ts';

/** Longer than any test waits. */
const LONG = 60_000;

class FakeWorker {
  readonly got: ToWorker[] = [];
  postMessage(message: ToWorker): void {
    this.got.push(message);
  }
}

const weigh = (epoch: number): ToWorker => ({ type: 'weigh', epoch });
const weighed = (epoch: number): FromWorker => ({ type: 'weighed', epoch });
const refused: FromWorker = { type: 'refused', generation: 1, message: 'no' };
const from =
  (epoch: number): Reading =>
  (message) => {
    if (message.type === 'refused') return { refused: message.message };
    return message.type === 'weighed' && message.epoch >= epoch ? 'taken' : null;
  };

function crew(count: number): { workers: Worker[]; named: Map<Worker, string> } {
  const workers = Array.from({ length: count }, () => new FakeWorker() as unknown as Worker);
  return { workers, named: new Map(workers.map((worker, i) => [worker, `worker ${i}`])) };
}

t.test('resolves when the last one has answered', async (t) => {
  const acknowledgements = new Acknowledgements();
  const { workers, named } = crew(3);
  let settled = false;
  const asked = acknowledgements.ask(named, weigh(4), from(4), LONG);
  void asked.then(() => {
    settled = true;
  });
  for (const worker of workers) t.strictSame((worker as unknown as FakeWorker).got, [weigh(4)]);
  acknowledgements.heard(workers[0]!, weighed(4));
  acknowledgements.heard(workers[0]!, weighed(4));
  acknowledgements.heard(workers[1]!, weighed(2));
  acknowledgements.heard(workers[1]!, { type: 'drained' });
  acknowledgements.heard(workers[2]!, weighed(6));
  await Promise.resolve();
  t.equal(settled, false, 'one has only said something else');
  acknowledgements.heard(workers[1]!, weighed(4));
  t.strictSame(await asked, { taken: 3, refusals: [], missing: [] });
});

t.test('nobody to ask', async (t) => {
  const asked = new Acknowledgements().ask(new Map(), weigh(1), from(1), LONG);
  t.strictSame(await asked, { taken: 0, refusals: [], missing: [] });
});

t.test('one that refuses has answered', async (t) => {
  const acknowledgements = new Acknowledgements();
  const { workers, named } = crew(2);
  const asked = acknowledgements.ask(named, weigh(1), from(1), LONG);
  acknowledgements.heard(workers[1]!, refused);
  acknowledgements.heard(workers[0]!, weighed(1));
  t.strictSame(await asked, { taken: 1, refusals: ['no'], missing: [] });
});

t.test('one that dies has nothing to acknowledge', async (t) => {
  const acknowledgements = new Acknowledgements();
  const { workers, named } = crew(2);
  const asked = acknowledgements.ask(named, weigh(1), from(1), LONG);
  acknowledgements.gone(workers[1]!);
  acknowledgements.heard(workers[1]!, weighed(1));
  acknowledgements.heard(workers[0]!, weighed(1));
  t.strictSame(await asked, { taken: 1, refusals: [], missing: [] });
  const last = acknowledgements.ask(new Map([[workers[0]!, 'worker 0']]), weigh(2), from(2), LONG);
  acknowledgements.gone(workers[0]!);
  t.strictSame(await last, { taken: 0, refusals: [], missing: [] });
});

t.test('one that says nothing is named', async (t) => {
  const acknowledgements = new Acknowledgements();
  const { workers, named } = crew(3);
  const asked = acknowledgements.ask(named, weigh(1), from(1), 1);
  acknowledgements.heard(workers[1]!, weighed(1));
  t.strictSame(await asked, { taken: 1, refusals: [], missing: ['worker 0', 'worker 2'] });
  acknowledgements.heard(workers[0]!, weighed(1));
  acknowledgements.gone(workers[2]!);
  t.strictSame(
    await asked,
    { taken: 1, refusals: [], missing: ['worker 0', 'worker 2'] },
    'later answers are too late',
  );
});

t.test('several questions at a time, of which one message may answer more than one', async (t) => {
  const acknowledgements = new Acknowledgements();
  const { workers, named } = crew(1);
  const first = acknowledgements.ask(named, weigh(2), from(2), LONG);
  const second = acknowledgements.ask(named, weigh(4), from(4), LONG);
  acknowledgements.heard(workers[0]!, weighed(4));
  t.strictSame(await Promise.all([first, second]), [
    { taken: 1, refusals: [], missing: [] },
    { taken: 1, refusals: [], missing: [] },
  ]);
});

t.test('a stranger is not listened to', async (t) => {
  const acknowledgements = new Acknowledgements();
  const { workers, named } = crew(1);
  const asked = acknowledgements.ask(named, weigh(1), from(1), 1);
  acknowledgements.heard(crew(1).workers[0]!, weighed(1));
  t.strictSame((await asked).missing, ['worker 0']);
  acknowledgements.heard(workers[0]!, weighed(1));
});

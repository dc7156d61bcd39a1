import t from 'tap';
import { newWeightTable, readWeights, weightEpoch, writeWeights } from '../../src/model/weight-table.ts';
import { LiveWeights } from '../../src/proxy/route/live-weights.ts';

t.test('weights of the snapshot hold until others are written', (t) => {
  const table = newWeightTable();
  const live = new LiveWeights(table, [3, 5], [9_000, 1_000]);
  t.equal(live.stale, false);
  t.strictSame(live.weights, [9_000, 1_000]);
  t.equal(live.epoch, 0);
  t.end();
});

t.test('written weights are taken up once', (t) => {
  const table = newWeightTable();
  const live = new LiveWeights(table, [3, 5], [9_000, 1_000]);
  const epoch = writeWeights(table, [
    [3, 2_500],
    [5, 7_500],
  ]);
  t.equal(live.stale, true);
  t.equal(live.refresh(), true);
  t.strictSame(live.weights, [2_500, 7_500]);
  t.equal(live.epoch, epoch);
  t.equal(live.stale, false);
  t.end();
});

t.test('weights of another service are no change', (t) => {
  const table = newWeightTable();
  writeWeights(table, [
    [3, 9_000],
    [5, 1_000],
  ]);
  const live = new LiveWeights(table, [3, 5], [9_000, 1_000]);
  t.equal(live.refresh(), false, 'the same as in the snapshot');
  writeWeights(table, [[9, 10_000]]);
  t.equal(live.stale, true);
  t.equal(live.refresh(), false);
  t.equal(live.stale, false, 'and is not looked at again');
  t.end();
});

t.test('a table that knows none of the versions leaves the weights from before', (t) => {
  const table = newWeightTable();
  const live = new LiveWeights(table, [3, 5], [9_000, 1_000]);
  writeWeights(table, [[0, 10_000]]);
  t.equal(live.refresh(), false);
  t.strictSame(live.weights, [9_000, 1_000]);
  t.end();
});

t.test('weights that are being written are left for the next look', (t) => {
  const table = newWeightTable();
  const live = new LiveWeights(table, [3, 5], [9_000, 1_000]);
  function* halfway(): Generator<readonly [number, number]> {
    yield [3, 0];
    t.equal(weightEpoch(table) % 2, 1);
    t.equal(readWeights(table, [3, 5], []), false);
    t.equal(live.refresh(), false);
    t.equal(live.stale, true, 'still to be looked at');
    t.strictSame(live.weights, [9_000, 1_000], 'half of a change is never seen');
    yield [5, 10_000];
  }
  const epoch = writeWeights(table, halfway());
  t.equal(epoch % 2, 0);
  t.equal(live.refresh(), true);
  t.strictSame(live.weights, [0, 10_000]);
  t.end();
});

t.test('the epoch stays a small even number that is never 0 again', (t) => {
  const table = newWeightTable();
  table[0] = 2 ** 30 - 2;
  t.equal(writeWeights(table, []), 2);
  t.equal(writeWeights(table, []), 4);
  t.end();
});

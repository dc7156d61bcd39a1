/** Pushed metrics: bounded in number, named so that nobody takes them for others, forgotten with their version. */
import t from 'tap';
import { PushedMetrics } from '../../src/control/change/pushed-metrics.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { OperationError } from '../../src/control/problems.ts';
import { fileText, refusal } from './change-stage.ts';

const AT = '2026-01-01T00:00:00.000Z';

function faultsOf(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.faults.map(({ field, message }) => `${field}: ${message}`);
  }
}

t.test('the last value of each', async (t) => {
  const pushed = new PushedMetrics();
  t.strictSame(pushed.push('shop', 'v1', { task_success_rate: 0.99, cpu: -1.5 }, AT), {
    task_success_rate: { value: 0.99, at: AT },
    cpu: { value: -1.5, at: AT },
  });
  t.match(pushed.push('shop', 'v1', { cpu: 0 }, 'later'), {
    cpu: { value: 0, at: 'later' },
    task_success_rate: { at: AT },
  });
  pushed.push('shop', 'v2', { cpu: 7 }, AT);
  t.strictSame(pushed.of('shop', 'v3'), {});
  t.strictSame(
    [...pushed.all()].map(({ service, version, metric, value }) => `${service} ${version} ${metric} ${value}`),
    ['shop v1 task_success_rate 0.99', 'shop v1 cpu 0', 'shop v2 cpu 7'],
  );
});

t.test('names and values', async (t) => {
  const pushed = new PushedMetrics();
  const push = (values: Record<string, number>) => faultsOf(() => pushed.push('shop', 'v1', values, AT));
  for (const name of ['', 'Cpu', '1st', 'a-b', 'a b', '_a', `a${'b'.repeat(63)}`, '__proto__x', 'ü']) {
    t.match(await push({ [name]: 1 }), [/a metric has a name such as task_success_rate/], name);
  }
  for (const name of ['error_rate', 'p95', 'p999', 'availability', 'health_score', 'throughput', 'success_rate']) {
    t.match(await push({ [name]: 1 }), [
      `/${name}: ${name} is what Sluice measures itself; push it under another name`,
    ]);
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    t.match(await push({ cpu: value }), ['/cpu: cpu must be a number']);
  }
  t.strictSame(await push({ [`a${'b'.repeat(62)}`]: 1, constructor: 2 }), []);
});

t.test('at most 32 per version, and none of a push that has a fault', async (t) => {
  const pushed = new PushedMetrics();
  const many = (count: number, from = 0) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${from + i}`, i]));
  t.match(await refusal(() => pushed.push('shop', 'v1', many(33), AT)), /would have 33 pushed metrics; 32 fit/);
  t.strictSame(pushed.of('shop', 'v1'), {});
  pushed.push('shop', 'v1', many(30), AT);
  t.match(await refusal(() => pushed.push('shop', 'v1', many(3, 30), AT)), /would have 33/);
  t.match(await refusal(() => pushed.push('shop', 'v1', { m0: 5, x: Number.NaN }, AT)), /x must be a number/);
  t.equal(pushed.of('shop', 'v1').m0!.value, 0);
  pushed.push('shop', 'v1', many(2, 30), AT);
  pushed.push('shop', 'v1', many(32), AT);
  t.equal(Object.keys(pushed.of('shop', 'v1')).length, 32, 'known ones may come as often as they like');
  pushed.push('shop', 'v2', many(32), AT);
});

t.test('what belongs to nobody is forgotten', async (t) => {
  const pushed = new PushedMetrics();
  for (const version of ['v1', 'v2', 'v9']) pushed.push('shop', version, { cpu: 1 }, AT);
  pushed.push('chop', 'v1', { cpu: 1 }, AT);
  pushed.keep(parseConfig(fileText(), 'sluice.yaml', {}));
  t.strictSame(
    [...pushed.all()].map(({ service, version }) => `${service} ${version}`),
    ['shop v1', 'shop v2'],
  );
});

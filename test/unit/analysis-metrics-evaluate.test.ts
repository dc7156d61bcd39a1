import t from 'tap';
import { evaluate, evaluateRule } from '../../src/control/analysis/evaluate.ts';
import type { MetricReader, MetricValue } from '../../src/control/analysis/verdict.ts';
import { PushedMetrics } from '../../src/control/change/pushed-metrics.ts';
import { parseCondition } from '../../src/control/config/condition.ts';
import { BUILT_IN_METRICS } from '../../src/model/built-in-metrics.ts';
import type { Operator } from '../../src/model/rollout-config.ts';
import { againstBaseline, condition } from './analysis-metrics-stage.ts';

type Values = Readonly<Record<string, Partial<MetricValue>>>;

/** @param values by metric, or by side and metric. */
const reader = (values: Values): MetricReader => ({
  read: (metric, side) => ({
    value: null,
    samples: 1_200,
    error: null,
    ...(values[`${side} ${metric}`] ?? values[metric]),
  }),
});

t.test('comparisons', async (t) => {
  const truth: Record<Operator, readonly boolean[]> = {
    '<': [true, false, false],
    '<=': [true, true, false],
    '>': [false, false, true],
    '>=': [false, true, true],
    '==': [false, true, false],
    '!=': [true, false, true],
  };
  for (const [operator, wanted] of Object.entries(truth)) {
    const found = [1, 2, 3].map(
      (value) => evaluate(condition('x', operator as Operator, 2), reader({ x: { value } }), 20).status,
    );
    t.same(
      found,
      wanted.map((holds) => (holds ? 'pass' : 'fail')),
      operator,
    );
  }
});

t.test('what it says', async (t) => {
  const said = (metric: string, value: Partial<MetricValue>, limit: number, operator: Operator = '<') =>
    evaluate(condition(metric, operator, limit), reader({ [metric]: value }), 20).message;
  t.equal(said('error_rate', { value: 0.4 }, 1), 'error_rate is 0.4 % of 1,200 requests, must be < 1 %');
  t.equal(said('error_rate', { value: 1.25 }, 1), 'error_rate is 1.25 % of 1,200 requests, must be < 1 %, is not');
  t.equal(said('p95', { value: 87.23456, samples: 40 }, 100), 'p95 is 87.23 ms of 40 answers, must be < 100 ms');
  t.equal(
    said('throughput', { value: 1_234.5, samples: 9 }, 50, '>'),
    'throughput is 1,235/s of 9 requests, must be > 50/s',
  );
  t.equal(said('cpu', { value: 0.98, samples: 3 }, 0.9), 'cpu is 0.98, must be < 0.9, is not');
  t.equal(
    said('error_rate', { value: 1.00001 }, 1),
    'error_rate is 1.00001 % of 1,200 requests, must be < 1 %, is not',
    'no riddles',
  );
  t.equal(
    said('health_score', { value: 91, note: 'without tasks: nothing was pushed for v2' }, 90, '>='),
    'health_score is 91 % of 1,200 requests (without tasks: nothing was pushed for v2), must be >= 90 %',
  );

  const rule = (value: number) => evaluateRule(condition('error_rate', '>', 1), reader({ error_rate: { value } }), 20);
  t.match(rule(2), { status: 'pass', message: 'error_rate is 2 % of 1,200 requests, is > 1 %' });
  t.match(rule(0.5), { status: 'fail', message: 'error_rate is 0.5 % of 1,200 requests, is not > 1 %' });
});

t.test('windows of steps and rules', async (t) => {
  const windows: unknown[] = [];
  const asked: MetricReader = {
    read: (_, side, window) => {
      windows.push([side, window]);
      return { value: 1, samples: 100, error: null };
    },
  };
  evaluate(condition('error_rate', '<', 2), asked, 20);
  evaluateRule(condition('error_rate', '<', 2), asked, 20);
  evaluate(againstBaseline('error_rate', '<=', '+', 0.1, 300_000), asked, 20);
  evaluateRule(againstBaseline('error_rate', '<=', '+', 0.1, 300_000), asked, 20);
  t.same(windows, [
    ...[
      ['canary', null],
      ['canary', 60_000],
    ],
    ...[
      ['canary', 300_000],
      ['stable', 300_000],
      ['canary', 300_000],
      ['stable', 300_000],
    ],
  ]);
});

t.test('against the baseline', async (t) => {
  const values: Values = { 'canary p95': { value: 110 }, 'stable p95': { value: 100 } };
  const judged = (change: '+' | '-' | '*', by: number) =>
    evaluate(againstBaseline('p95', '<=', change, by), reader(values), 20);
  t.match(judged('*', 1.2), { status: 'pass', value: 110, limit: 120, baseline: 100 });
  t.equal(judged('*', 1.2).message, 'p95 is 110 ms of 1,200 answers, must be <= 120 ms (baseline 100 ms * 1.2)');
  t.match(judged('+', 5), { status: 'fail', limit: 105 });
  t.match(judged('-', 5), { status: 'fail', limit: 95 });
  t.match(judged('+', 0).message, /\(baseline 100 ms\), is not$/);
  t.match(judged('*', 1).message, /\(baseline 100 ms\), is not$/);
  const old = { ...values, 'stable p95': { value: 100, note: 'measured 5 minutes ago, when v1 had traffic' } };
  t.match(evaluate(againstBaseline('p95', '<=', '+', 20), reader(old), 20), {
    status: 'pass',
    message:
      'p95 is 110 ms of 1,200 answers, must be <= 120 ms (baseline 100 ms + 20 ms; measured 5 minutes ago, when v1 had traffic)',
  });
});

t.test('what cannot be judged neither passes nor fails', async (t) => {
  const cases: [Partial<MetricValue>, string, string][] = [
    [{ value: 50, samples: 19 }, 'inconclusive', 'error_rate takes 20 requests to judge, and there are only 19 yet'],
    [{ value: null, samples: 0 }, 'inconclusive', 'error_rate takes 20 requests to judge, and there are none yet'],
    [{ value: 50, samples: 20 }, 'fail', 'error_rate is 50 % of 20 requests, must be < 1 %, is not'],
    [{ error: 'no answer' }, 'error', 'error_rate could not be read: no answer'],
    [{ value: Number.NaN }, 'inconclusive', 'error_rate has no value yet'],
  ];
  for (const [value, status, message] of cases) {
    t.match(evaluate(condition('error_rate', '<', 1), reader({ error_rate: value }), 20), { status, message });
  }
  const pushed = { value: null, samples: 0, note: 'nothing was pushed for v2' };
  t.match(evaluate(condition('tasks', '>', 0.9), reader({ tasks: pushed }), 20), {
    ...{ status: 'inconclusive', value: null, limit: 0.9, baseline: null, samples: 0 },
    message: 'tasks has no value yet: nothing was pushed for v2',
  });
  t.match(evaluate(condition('tasks', '>', 0.9), reader({ tasks: { value: 1, samples: 1 } }), 20), { status: 'pass' });
  t.match(evaluate(condition('throughput', '<', 10), reader({ throughput: { value: 1, samples: 3 } }), 20), {
    status: 'pass',
  });
  t.match(evaluate(condition('p95', '<', 10), reader({ p95: { value: null, samples: 0 } }), 0), {
    status: 'inconclusive',
  });

  const stable = (value: Partial<MetricValue>) =>
    evaluate(againstBaseline('p95', '<', '*', 2), reader({ 'canary p95': { value: 5 }, 'stable p95': value }), 20);
  t.match(stable({ value: 5, samples: 3 }), {
    ...{ status: 'inconclusive', value: 5, limit: 10, baseline: 5 },
    message: 'p95 of stable takes 20 requests to judge, and there are only 3 yet',
  });
  t.match(stable({ value: null, samples: 0 }), { status: 'inconclusive', limit: null, baseline: null });
  t.match(stable({ error: 'answered 500' }), {
    status: 'error',
    message: 'p95 of stable could not be read: answered 500',
  });
});

t.test('what is measured has the same names for conditions as they are written, and is not pushed', async (t) => {
  const values = { percent: '1%', duration: '1ms', rate: '1' };
  for (const [metric, unit] of Object.entries(BUILT_IN_METRICS)) {
    t.match(parseCondition(`${metric} > ${values[unit]}`), { ok: { metric, operand: { kind: 'value', value: 1 } } });
    t.throws(
      () => new PushedMetrics().push('shop', 'v2', { [metric]: 1 }, ''),
      /is what Sluice measures itself/,
      metric,
    );
  }
});

import t from 'tap';
import type { Following, ProviderReadings } from '../../src/control/analysis/providers/provider-readings.ts';
import { STALE } from '../../src/control/analysis/pushed-readings.ts';
import { summaryOf } from '../../src/control/analysis/version-totals.ts';
import { againstBaseline, condition, NO_VALUE, RolloutStage, STRATEGY } from './analysis-metrics-stage.ts';

const MINUTE = 60_000;

t.test('rates are of decided first attempts, the others of attempts', async (t) => {
  const stage = new RolloutStage();
  const metrics = stage.metrics();
  const meter = stage.meter('v2');
  const began = meter.read();
  stage.pass(metrics, 20, () => {
    stage.trials('canary', 10, 1);
    stage.trials('stable', 90);
    // Retries and forced requests are attempts, too.
    stage.answer('v2', 10, 8);
    stage.answer('v2', 80, 4, 'error5xx');
    stage.count('v2', 'resets', 3);
    stage.answer('v1', 5, 100, 'success', 1);
  });
  const read = (metric: string, side: 'canary' | 'stable' = 'canary') => metrics.read(metric, side, null);
  t.same(read('error_rate'), { value: 10, samples: 200, error: null });
  t.same(read('success_rate'), { value: 90, samples: 200, error: null });
  t.same(read('error_rate', 'stable'), { value: 0, samples: 1_800, error: null });
  t.same(read('availability'), { value: 80, samples: 300, error: null });
  t.same(read('throughput'), { value: 15, samples: 300, error: null });
  t.match(read('p50'), { value: /^(9\.9|10)/, samples: 240 });
  t.match(read('p95'), { value: /^(79|80)/, samples: 240 });
  t.match(read('p999', 'stable'), { value: /^(4\.9|5)/, samples: 2_000 });
  t.match(summaryOf(began, meter.read()), { requests: 300, errors: 140, shielded: 0 });
  t.match(metrics.live('canary'), { throughput: 15, errorRate: 10, p95: /^(79|80)/ });

  stage.trials('canary', 50, 50, 0.5);
  stage.pass(metrics, 1);
  t.same(read('error_rate'), { value: 28, samples: 250, error: null }, 'all shares count');
  stage.pass(metrics, 20);
  t.strictSame(metrics.live('canary'), { throughput: null, errorRate: null, p50: null, p95: null, p99: null });
  t.same(metrics.read('error_rate', 'canary', 10_000), NO_VALUE, 'nothing is not 0 %');
});

t.test('a request is counted once it is decided, and a failure never exceeds the whole', async (t) => {
  const stage = new RolloutStage();
  const metrics = stage.metrics();
  stage.trials('canary', 100, 2);
  const [share] = stage.shares;
  stage.shares = [{ ...share!, canary: { ...share!.canary, trials: 150, aborted: 50 } }];
  stage.pass(metrics, 1);
  t.same(metrics.read('error_rate', 'canary', null), { value: 4, samples: 50, error: null });
  stage.shares = [{ ...share!, canary: { ...share!.canary, failed: 120 } }];
  stage.pass(metrics, 1);
  t.same(metrics.read('error_rate', 'canary', null), { value: 100, samples: 120, error: null });
});

t.test('without evidence the rates are made of attempts', async (t) => {
  const stage = new RolloutStage();
  const metrics = stage.metrics();
  stage.pass(metrics, 10, () => {
    stage.answer('v2', 10, 9);
    stage.count('v2', 'timeouts');
  });
  t.same(metrics.read('error_rate', 'canary', null), { value: 10, samples: 100, error: null });
  t.same(metrics.read('success_rate', 'canary', null), { value: 90, samples: 100, error: null });
});

t.test('windows, and what a step begins anew', async (t) => {
  const stage = new RolloutStage();
  const rule = {
    condition: condition('error_rate', '>', 1, 5 * MINUTE),
    level: 'critical',
    action: 'immediate',
  } as const;
  const metrics = stage.metrics({ rollbackWhen: [rule] });
  stage.pass(metrics, 400, (second) => stage.trials('canary', 10, second > 390 ? 5 : 0));
  const read = (window: number | null) => metrics.read('error_rate', 'canary', window);
  t.same(read(10_000), { value: 50, samples: 100, error: null });
  t.same(read(20_000), { value: 25, samples: 200, error: null });
  t.match(read(5 * MINUTE), { samples: 3_000 });
  t.match(read(24 * 60 * MINUTE), { value: 1.25, samples: 4_000 }, 'no further back than there are marks');
  t.match(read(null), { samples: 4_000 });
  metrics.stepBegan();
  t.same(read(null), NO_VALUE);
  t.match(read(10_000), { value: 50 }, 'windows go on');
  stage.pass(metrics, 1, () => stage.trials('canary', 30));
  t.same(read(null), { value: 0, samples: 30, error: null });
  stage.pass(metrics, 1_000, () => stage.trials('canary', 1));
  const seconds = (window: number): number => read(window).samples;
  t.ok(seconds(9 * MINUTE) >= 540 && seconds(9 * MINUTE) <= 550, 'windows that the strategy does not use');
  t.ok(seconds(24 * 60 * MINUTE) >= 600 && seconds(24 * 60 * MINUTE) <= 620, 'as far as marks are kept');
});

t.test('throughput: of the step only, and not of the first seconds', async (t) => {
  const stage = new RolloutStage();
  const metrics = stage.metrics();
  stage.pass(metrics, 100, () => stage.answer('v2', 10, 1));
  metrics.stepBegan();
  stage.pass(metrics, 9, () => stage.answer('v2', 10, 50));
  t.match(metrics.read('throughput', 'canary', MINUTE), {
    value: null,
    samples: 450,
    note: 'it takes 10 s to measure it',
  });
  stage.pass(metrics, 1, () => stage.answer('v2', 10, 50));
  t.match(
    metrics.read('throughput', 'canary', MINUTE),
    { value: 50, samples: 500 },
    'the share was another one before',
  );
  stage.pass(metrics, 70);
  t.match(metrics.read('throughput', 'canary', MINUTE), NO_VALUE, 'no traffic is no throughput');
});

t.test('the baseline of a stable version without traffic', async (t) => {
  const stage = new RolloutStage();
  const steps = [
    ...STRATEGY.steps,
    { kind: 'weight', name: 'all', weight: 100, for: MINUTE, pass: [againstBaseline('p95', '<=', '*', 1.2, MINUTE)] },
  ] as const;
  const metrics = stage.metrics({ steps: [...steps] });
  const canary = (): void => {
    stage.trials('canary', 10, 1);
    stage.answer('v2', 30, 10);
  };
  stage.pass(metrics, 100, (second) => {
    canary();
    stage.trials('stable', 10, second % 10 === 0 ? 1 : 0);
    stage.answer('v1', 20, 10);
  });
  t.same(metrics.read('error_rate', 'stable', null), { value: 1, samples: 1_000, error: null });
  metrics.stepBegan();
  // Failed attempts of the canary are answered by stable, slowly; they are no picture of it.
  stage.pass(metrics, 600, (second) => {
    canary();
    if (second % 5 === 0) stage.answer('v1', 500);
  });
  const note = /^measured 10 minutes ago, when v1 had traffic$/;
  t.match(metrics.read('error_rate', 'stable', null), { value: 1, samples: 1_000, note }, 'since the step before');
  t.match(metrics.read('p95', 'stable', MINUTE), { value: /^(19|20)/, samples: 600, note });
  t.match(metrics.read('p95', 'stable', 7 * MINUTE), { value: /^(19|20)/, note }, 'a window that nobody announced');
  t.equal(metrics.read('error_rate', 'canary', null).value, 10, 'the canary is judged by what it does now');
  t.match(metrics.live('stable'), { errorRate: null }, 'live is now');

  stage.pass(metrics, 3, () => stage.trials('stable', 10, 5));
  t.same(metrics.read('error_rate', 'stable', null), { value: 50, samples: 30, error: null }, 'at work again');
});

t.test('a stable version that never had enough traffic is no baseline', async (t) => {
  const stage = new RolloutStage();
  const metrics = stage.metrics();
  stage.pass(metrics, 30, (second) => {
    stage.trials('canary', 10);
    if (second < 19) stage.trials('stable', 1);
  });
  t.same(metrics.read('error_rate', 'stable', null), { value: 0, samples: 18, error: null });
});

t.test('the health score and its parts', async (t) => {
  const stage = new RolloutStage();
  const healthScore = { ...STRATEGY.healthScore, metric: { name: 'tasks', weight: 0.3 } };
  const metrics = stage.metrics({ healthScore });
  t.same(metrics.read('health_score', 'canary', null), {
    ...NO_VALUE,
    note: 'without tasks: nothing was pushed for v2',
  });
  stage.pass(metrics, 10, () => {
    stage.trials('canary', 10, 2);
    stage.answer('v2', 50, 6);
    stage.answer('v2', 150, 4);
  });
  const whole = metrics.read('health_score', 'canary', null);
  t.ok(Math.abs(whole.value! - (0.4 * 80 + 0.3 * 60) / 0.7) < 1e-9, `${whole.value} without the metric`);
  t.match(whole, { samples: 100, note: 'without tasks: nothing was pushed for v2' });
  stage.push('v2', 'tasks', 0.9);
  const all = metrics.read('health_score', 'canary', null);
  t.ok(Math.abs(all.value! - (0.4 * 80 + 0.3 * 60 + 0.3 * 90)) < 1e-9, `${all.value}`);
  t.notOk(all.note);
  stage.push('v2', 'tasks', 7);
  t.ok(Math.abs(metrics.read('health_score', 'canary', null).value! - (0.4 * 80 + 0.3 * 60 + 0.3 * 100)) < 1e-9);

  const dead = new RolloutStage();
  const others = dead.metrics();
  dead.pass(others, 10, () => {
    dead.trials('canary', 10, 10);
    dead.count('v2', 'connectFailures', 10);
  });
  t.same(others.read('health_score', 'canary', null), { value: 0, samples: 100, error: null }, 'nothing was answered');

  const itself = stage.metrics({ healthScore: { ...healthScore, metric: { name: 'health_score', weight: 0.3 } } });
  stage.pass(itself, 1, () => stage.trials('canary', 10));
  t.equal(itself.read('health_score', 'canary', null).value, 100, 'it is no part of itself');
});

t.test('pushed metrics are the last value, while it is fresh', async (t) => {
  const stage = new RolloutStage();
  const metrics = stage.metrics();
  const read = () => metrics.read('task_success_rate', 'canary', 5_000);
  t.same(read(), { ...NO_VALUE, note: 'nothing was pushed for v2' });
  stage.push('v2', 'task_success_rate', 0.5);
  stage.pass(metrics, 1);
  stage.push('v2', 'task_success_rate', 0.995);
  stage.push('v1', 'task_success_rate', 0.7);
  t.same(read(), { value: 0.995, samples: 2, error: null });
  t.match(metrics.read('task_success_rate', 'stable', null), { value: 0.7, samples: 1 });
  stage.clock.advance(STALE);
  t.match(read(), { value: 0.995 });
  stage.clock.advance(1);
  t.match(read(), { value: null, samples: 2, error: null, note: 'the last push for v2 was 10 minutes ago' });
  t.same(metrics.read('constructor', 'canary', null), { ...NO_VALUE, note: 'nothing was pushed for v2' });
});

t.test('providers: what the strategy uses is followed until the end', async (t) => {
  const stage = new RolloutStage();
  const followed: unknown[] = [];
  let stopped = 0;
  const providers: Pick<ProviderReadings, 'knows' | 'follow'> = {
    knows: (metric) => metric === 'queue',
    follow: (subject, uses): Following => {
      followed.push([subject.service, subject.canary, subject.stable, uses]);
      return {
        read: (metric, side, window) => ({
          value: side === 'canary' ? 1 : 2,
          samples: 1,
          error: null,
          note: `${metric} ${window}`,
        }),
        stop: () => stopped++,
      };
    },
  };
  const metrics = stage.metrics(
    {
      healthScore: { ...STRATEGY.healthScore, metric: { name: 'queue', weight: 0.3 } },
      steps: [
        { kind: 'analysis', name: 'a', for: MINUTE, pass: [condition('queue', '<', 5), condition('queue', '<', 9)] },
      ],
      rollbackWhen: [{ condition: condition('health_score', '<', 50), level: 'warning', action: 'immediate' }],
    },
    { providers },
  );
  const uses = [
    { metric: 'queue', window: null },
    { metric: 'health_score', window: MINUTE },
    { metric: 'queue', window: MINUTE },
  ];
  t.strictSame(followed, [['shop', 'v2', 'v1', uses]]);
  t.match(metrics.read('queue', 'stable', 5_000), { value: 2, note: 'queue 5000' });
  metrics.close();
  t.equal(stopped, 1);
});

/** Rollouts on /metrics: bounded, and silent where nothing is compared. */
import t from 'tap';
import type { RolloutReading } from '../../src/control/metrics/sources.ts';
import type { Phase } from '../../src/control/rollout/rollout.ts';
import { Stage } from './metrics-stage.ts';

const reading = (service: string, id: string, phase: Phase, changes: Partial<RolloutReading> = {}): RolloutReading => ({
  ...{ service, id, phase, step: 0, waiting: false, failures: 0, tests: [] },
  ...changes,
});

t.test('without a source there are no series', async (t) => {
  const scrape = await new Stage(t).scrape();
  for (const name of [
    'sluice_rollout_phase',
    'sluice_rollout_step',
    'sluice_rollout_waiting',
    'sluice_rollouts_total',
    'sluice_evidence_log_e',
    'sluice_evidence_threshold',
    'sluice_canary_failures',
  ]) {
    t.strictSame(scrape.lines(name), [], name);
  }
});

t.test('phases of all that are not over, and of the latest of each service', async (t) => {
  const stage = new Stage(t, undefined, {
    rollouts: () => [
      reading('shop', 'shop-9', 'Queued', { waiting: true }),
      reading('shop', 'shop-8', 'Progressing', { step: 2 }),
      reading('cart', 'cart-3', 'RolledBack'),
      reading('shop', 'shop-7', 'Succeeded'),
      reading('cart', 'cart-2', 'Succeeded'),
    ],
    rolloutsEnded: () => [
      { service: 'cart', phase: 'Succeeded', count: 2 },
      { service: 'cart', phase: 'RolledBack', count: 1 },
    ],
  });
  const scrape = await stage.scrape();
  t.strictSame(
    scrape.lines('sluice_rollout_phase').map(({ labels, value }) => [labels.rollout, labels.phase, value]),
    [
      ['shop-9', 'Queued', 1],
      ['shop-8', 'Progressing', 1],
      ['cart-3', 'RolledBack', 1],
    ],
  );
  for (const [name, values] of [
    ['sluice_rollout_step', [0, 2]],
    ['sluice_rollout_waiting', [1, 0]],
  ] as const) {
    t.strictSame(
      scrape.lines(name).map(({ labels, value }) => [labels.service, labels.rollout, value]),
      [
        ['shop', 'shop-9', values[0]],
        ['shop', 'shop-8', values[1]],
      ],
      `${name} of those that are not over`,
    );
  }
  t.equal(scrape.value('sluice_rollouts_total', { service: 'cart', phase: 'Succeeded' }), 2);
  t.equal(scrape.value('sluice_rollouts_total', { service: 'cart', phase: 'RolledBack' }), 1);
});

t.test('evidence and failures of what is compared now', async (t) => {
  const test = { threshold: 7.6, message: '' };
  const stage = new Stage(t, undefined, {
    rollouts: () => [
      reading('shop', 'shop-9', 'Queued', { failures: 9 }),
      reading('shop', 'shop-8', 'Progressing', {
        failures: 3,
        tests: [
          { test: 'errors', state: 'watching', logE: 4.25, ...test },
          { test: 'slo', state: 'off', logE: 0, ...test },
          { test: 'latency', state: 'blind', logE: -1, ...test },
        ],
      }),
      reading('cart', 'cart-3', 'RolledBack', {
        failures: 9,
        tests: [{ test: 'errors', state: 'crossed', logE: 8, ...test }],
      }),
    ],
  });
  const scrape = await stage.scrape();
  t.strictSame(
    scrape.lines('sluice_evidence_log_e').map(({ labels, value }) => [labels.service, labels.metric, value]),
    [
      ['shop', 'errors', 4.25],
      ['shop', 'latency', -1],
    ],
  );
  t.strictSame(
    scrape.lines('sluice_evidence_threshold').map(({ labels, value }) => [labels.service, labels.metric, value]),
    [
      ['shop', 'errors', 7.6],
      ['shop', 'latency', 7.6],
    ],
    'with its threshold',
  );
  t.strictSame(
    scrape.lines('sluice_canary_failures').map(({ labels, value }) => [labels.service, value]),
    [['shop', 3]],
  );
});

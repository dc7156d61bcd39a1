/** Rows about one service: how traffic is divided, stable beside the canary, and the rollout. */
import {
  attempts,
  byLane,
  FAILED,
  latencyByLane,
  phaseNumber,
  rate,
  SERVICE,
  userErrors,
  VERSION,
} from './expressions.ts';
import { PHASE_WORDS } from './overview-rows.ts';
import { BAD, curves, GOOD, LIMIT, type Panel, type Row, stacked, states } from './panel.ts';

export const trafficRow: Row = {
  title: '$service: traffic',
  panels: [
    stacked({
      ...{ title: 'Requests by version', unit: 'reqps', width: 8 },
      description:
        'Answers per second, by the version that gave them. What the shield answered for the canary is stable’s.',
      queries: [
        { expr: `sum by (version, lane) (${rate('sluice_requests_total', VERSION)})`, legend: '{{version}} {{lane}}' },
      ],
    }),
    stacked(
      {
        ...{ title: 'Weight', unit: 'percent', width: 8, max: 100 },
        description: 'What each version is to get. Steps are those of a rollout, or of somebody’s hand.',
        queries: [{ expr: `max by (version, lane) (sluice_weight{${VERSION}} > 0)`, legend: '{{version}} {{lane}}' }],
      },
      { lineInterpolation: 'stepAfter' },
    ),
    curves({
      ...{ title: 'Share of requests', unit: 'percentunit', width: 8, max: 1 },
      description:
        'What each version was really given, before anything went wrong. Sessions, keys and override headers make it differ from the weight.',
      queries: [
        {
          expr: `${byLane(`sum by (instance, service, version) (${rate('sluice_requests_routed_total', VERSION)})`)}
/ on () group_left () (sum (${rate('sluice_requests_routed_total', SERVICE)}) > 0)`,
          legend: '{{version}} {{lane}}',
        },
      ],
    }),
    stacked({
      ...{ title: 'Answers by code', unit: 'reqps', width: 12 },
      description: 'What users got. 499 is a client that went away; 5xx are red.',
      queries: [{ expr: `sum by (code) (${rate('sluice_requests_total', SERVICE)})`, legend: '{{code}}' }],
      colours: [
        ['/^2..$/', GOOD],
        ['/^3..$/', 'light-blue'],
        ['/^4..$/', 'yellow'],
        ['/^5..$/', BAD],
      ],
    }),
    curves(
      {
        ...{ title: 'Users’ errors', unit: 'percentunit', width: 12 },
        description:
          'Share of answers that were a 5xx. The dashed line, 1 %, is where the alert SluiceUserErrors begins.',
        queries: [{ expr: userErrors(SERVICE), legend: 'errors' }],
        colours: [['/^errors$/', BAD]],
        steps: [
          { color: 'transparent', value: null },
          { color: BAD, value: 0.01 },
        ],
      },
      LIMIT,
    ),
  ],
};

const percentile = (name: string, quantile: number): Panel =>
  curves({
    ...{ title: `Latency ${name}`, unit: 's', width: 8 },
    description:
      'Time to the head of the upstream’s answer, within the bounds of the histogram’s buckets. Attempts without an answer are not in it.',
    queries: [{ expr: latencyByLane(quantile), legend: '{{version}} {{lane}}' }],
  });

export const comparisonRow: Row = {
  title: '$service: stable and canary side by side',
  panels: [
    curves({
      ...{ title: 'Error rate of attempts', unit: 'percentunit', width: 12 },
      description:
        'Share of attempts that ended in a 5xx or without an answer: what the upstreams did, whether users saw it or not. This judges a version.',
      queries: [{ expr: `${attempts(FAILED)}\n/ (${attempts()} > 0)`, legend: '{{version}} {{lane}}' }],
    }),
    curves({
      ...{ title: 'Failed attempts by outcome', unit: 'reqps', width: 12 },
      description:
        'How attempts failed: a status, a connection that was not made, a reset, a timeout, an answer that was no HTTP.',
      queries: [
        {
          expr: `sum by (version, outcome) (${rate('sluice_attempts_total', VERSION + FAILED)}) > 0`,
          legend: '{{version}} {{outcome}}',
        },
      ],
    }),
    percentile('p50', 0.5),
    percentile('p95', 0.95),
    percentile('p99', 0.99),
  ],
};

export const rolloutRow: Row = {
  title: '$service: rollout',
  panels: [
    states({
      ...{ title: 'Phase', unit: 'short', width: 12, height: 6, words: PHASE_WORDS },
      description:
        'Where each rollout was. The latest of a service stays after its end; older ones end where a newer one begins.',
      queries: [{ expr: phaseNumber(SERVICE, 'rollout'), legend: '{{rollout}}' }],
    }),
    curves(
      {
        ...{ title: 'Evidence against the canary', unit: 'percentunit', width: 12, height: 6 },
        description:
          'Log of each test’s e-value as a share of its threshold. At 100 %, the dashed line, the canary is taken back within milliseconds (ratio: the rollout is held). Nothing is drawn while nothing is compared, which is not the same as 0.',
        queries: [
          {
            expr: `max by (metric) (clamp_min(sluice_evidence_log_e{${SERVICE}} / (sluice_evidence_threshold{${SERVICE}} > 0), 0))`,
            legend: '{{metric}}',
          },
        ],
        steps: [
          { color: 'transparent', value: null },
          { color: BAD, value: 1 },
        ],
      },
      LIMIT,
    ),
    curves(
      {
        ...{ title: 'Step', unit: 'short', width: 8, height: 6, decimals: 0 },
        description: 'Which step of its strategy a rollout is at, from 1.',
        queries: [{ expr: `max by (rollout) (sluice_rollout_step{${SERVICE}})`, legend: '{{rollout}}' }],
      },
      { lineInterpolation: 'stepAfter' },
    ),
    states({
      ...{ title: 'Held', unit: 'short', width: 8, height: 6 },
      description:
        'Whether something holds the rollout: a condition, an approval, a pause, its turn. `sluice rollout why` says which.',
      words: {
        first: 0,
        values: [
          ['moves', GOOD],
          ['waits', 'yellow'],
        ],
      },
      queries: [{ expr: `max by (rollout) (sluice_rollout_waiting{${SERVICE}})`, legend: '{{rollout}}' }],
    }),
    curves(
      {
        ...{ title: 'Failed first attempts of the canary', unit: 'short', width: 8, height: 6, decimals: 0 },
        description: 'Since the rollout began: what `maxFailures` is counted against.',
        queries: [{ expr: `max by (service) (sluice_canary_failures{${SERVICE}})`, legend: 'failed' }],
        colours: [['/^failed$/', BAD]],
      },
      { lineInterpolation: 'stepAfter' },
    ),
  ],
};

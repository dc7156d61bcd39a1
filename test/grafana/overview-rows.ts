/** The first rows: all services in a table, and six figures that say whether the chosen one is well. */
import { INSTANCE, PHASES, phaseNumber, rate, SERVICE, userErrors } from './expressions.ts';
import { BAD, CANARY, type Column, figure, GOOD, type Row, type Step, table } from './panel.ts';

const ERROR_STEPS: readonly Step[] = [
  { color: GOOD, value: null },
  { color: 'yellow', value: 0.001 },
  { color: BAD, value: 0.01 },
];
const SUCCESS_STEPS: readonly Step[] = [
  { color: BAD, value: null },
  { color: 'yellow', value: 0.99 },
  { color: GOOD, value: 0.999 },
];
const FULL_STEPS: readonly Step[] = [
  { color: BAD, value: null },
  { color: GOOD, value: 1 },
];

const p95 = (selector: string, by: string): string =>
  `histogram_quantile(0.95, sum by (${by}) (${rate('sluice_request_duration_seconds_bucket', selector)}))`;

const unit = (value: string, ...more: Column['properties']): Column['properties'] => [{ id: 'unit', value }, ...more];
const coloured = (steps: readonly Step[]): Column['properties'] => [
  { id: 'custom.cellOptions', value: { type: 'color-text' } },
  { id: 'thresholds', value: { mode: 'absolute', steps } },
];
const ALL = `${INSTANCE},service!=""`;

export const PHASE_WORDS = { first: 1, values: PHASES };

export const servicesRow: Row = {
  title: 'All services',
  panels: [
    table(
      {
        ...{ title: 'Services', width: 24, height: 6 },
        description: 'Every service as it is now. A click on a name shows that service in the rows below.',
      },
      {
        name: 'service',
        properties: [
          {
            id: 'links',
            value: [
              {
                title: `Show \${__value.text} below`,
                url: `/d/\${__dashboard.uid}?\${datasource:queryparam}&var-service=\${__value.text}&\${__url_time_range}`,
              },
            ],
          },
        ],
      },
      [
        {
          title: 'requests',
          expr: `sum by (service) (${rate('sluice_requests_total', ALL)})`,
          properties: unit('reqps'),
        },
        {
          title: 'users’ errors',
          expr: userErrors(ALL, 'service'),
          properties: unit('percentunit', ...coloured(ERROR_STEPS)),
        },
        { title: 'p95', expr: p95(ALL, 'service, le'), properties: unit('s') },
        {
          title: 'canary weight',
          expr: `max by (service) (sluice_weight{${ALL},lane="canary"})`,
          properties: unit('percent'),
        },
        {
          title: 'endpoints available',
          expr: `avg by (service) (sluice_endpoint_available{${ALL}})`,
          properties: unit('percentunit', ...coloured(FULL_STEPS)),
        },
        {
          title: 'last rollout',
          expr: phaseNumber(ALL, 'service'),
          properties: unit(
            'short',
            { id: 'mappings', value: [{ type: 'value', options: phaseOptions() }] },
            {
              id: 'custom.cellOptions',
              value: { type: 'color-text' },
            },
          ),
        },
      ],
    ),
  ],
};

function phaseOptions(): object {
  return Object.fromEntries(PHASES.map(([text, color], index) => [index + 1, { text, color, index }]));
}

export const overviewRow: Row = {
  title: '$service: overview',
  panels: [
    figure({
      ...{ title: 'Users’ success', unit: 'percentunit', width: 4, decimals: 2, max: 1, steps: SUCCESS_STEPS },
      description: 'Share of answers below 500, as users got them: after retries and shield.',
      queries: [{ expr: `1 - (${userErrors(SERVICE)})` }],
    }),
    figure({
      ...{ title: 'Requests', unit: 'reqps', width: 4 },
      description: 'Answers per second.',
      queries: [{ expr: `sum (${rate('sluice_requests_total', SERVICE)})` }],
    }),
    figure({
      ...{ title: 'p95', unit: 's', width: 4 },
      description: '95 of 100 users had their whole answer within this time.',
      queries: [{ expr: p95(SERVICE, 'le') }],
    }),
    figure({
      ...{ title: 'Canary weight', unit: 'percent', width: 4, max: 100, steps: [{ color: CANARY, value: null }] },
      description: 'Share of new requests that the canary is given. Empty where no version is in the canary lane.',
      queries: [{ expr: `max (sluice_weight{${SERVICE},lane="canary"})` }],
    }),
    figure(
      {
        ...{ title: 'Rollouts', unit: 'short', width: 4, words: PHASE_WORDS },
        description: 'Phase of every rollout that is not over, and of the latest one.',
        queries: [{ expr: phaseNumber(SERVICE, 'rollout'), legend: '{{rollout}}' }],
      },
      'none',
    ),
    figure({
      ...{ title: 'Endpoints available', unit: 'percentunit', width: 4, max: 1, steps: FULL_STEPS },
      description: 'Share of endpoints that are healthy, enabled and not ejected.',
      queries: [{ expr: `avg (sluice_endpoint_available{${SERVICE}})` }],
    }),
  ],
};

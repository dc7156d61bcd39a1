/** The shape of a strategy as a rollout keeps it; see kept-shape.ts. What only has to be shown is left to the report. */
import type { Shape } from './kept-shape.ts';

const condition: Shape = {
  fields: {
    ...{ text: 'text', metric: 'text', operator: 'text', window: { maybe: 'number' } },
    operand: {
      kinds: 'kind',
      of: {
        value: { fields: { value: 'number' } },
        baseline: { fields: { operator: 'text', by: 'number' } },
      },
    },
  },
};

const check: Shape = {
  fields: {
    ...{ name: 'text', method: 'text', path: 'text', headers: { map: 'text' }, body: { maybe: 'text' } },
    expect: { fields: { status: ['integer'], body: { maybe: 'text' }, latency: 'number' } },
    ...{ timeout: 'number', retries: 'integer' },
  },
};

const hooks: Shape = [
  {
    fields: {
      ...{ name: 'text', timeout: 'number', onFailure: 'text' },
      run: {
        kinds: 'kind',
        of: {
          webhook: { fields: { url: 'text', secret: { maybe: 'text' } } },
          command: { fields: { command: ['text'], env: { map: 'text' } } },
        },
      },
    },
  },
];

const step: Shape = {
  kinds: 'kind',
  of: {
    weight: { fields: { name: 'text', weight: 'percent', for: 'number', pass: [condition] } },
    ramp: { fields: { name: 'text', to: 'percent', by: 'percent', every: 'number', pass: [condition] } },
    pause: { fields: { name: 'text', until: 'anything' } },
    preflight: {
      fields: {
        ...{ name: 'text', health: 'flag', smoke: [check], timeout: 'number' },
        warmUp: { maybe: { fields: { path: 'text', requests: 'integer', concurrency: 'integer' } } },
      },
    },
    webhook: {
      fields: {
        ...{ name: 'text', url: 'text', timeout: 'number', retries: 'integer', every: 'number', deadline: 'number' },
        secret: { maybe: 'text' },
      },
    },
    analysis: { fields: { name: 'text', for: 'number', pass: [condition] } },
    override: { fields: { name: 'text', on: 'flag' } },
  },
};

export const strategyShape: Shape = {
  fields: {
    name: 'text',
    steps: [step],
    evidence: {
      fields: {
        ...{ alpha: 'number', tolerance: 'number', maxFailures: 'number', earlyPass: 'flag', proof: 'number' },
        shares: { fields: { errors: 'number', slo: 'number', latency: 'number', ratio: 'number' } },
        slo: { maybe: 'percent' },
        latency: { maybe: { fields: { percentile: 'integer', floor: 'number', tolerance: 'number' } } },
      },
    },
    minRequests: 'number',
    rollbackWhen: [{ fields: { condition, level: 'text', action: 'text' } }],
    gradual: { fields: { by: 'number', every: 'number' } },
    ...{ unavailableFor: 'number', stepDeadline: 'number' },
    hooks: { fields: { start: hooks, step: hooks, rollback: hooks, success: hooks } },
    approvals: { maybe: { fields: { required: 'integer', roles: ['text'], expires: 'number' } } },
    approveAboveRisk: { maybe: 'number' },
    whenBusy: 'text',
    freeze: [{ fields: { name: 'text', days: ['integer'], from: 'integer', to: 'integer', timeZone: 'zone' } }],
    healthScore: {
      fields: {
        ...{ success: 'number', latency: 'number', latencyLimit: 'number' },
        metric: { maybe: { fields: { name: 'text', weight: 'number' } } },
      },
    },
  },
};

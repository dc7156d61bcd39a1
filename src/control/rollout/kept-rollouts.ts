/**
 * The rollouts that the store has, those left out that cannot be read.
 *
 *     value ─ has the shape of a rollout? ─ can it be told? ─▶ rollout
 *                       └──────────────────────┴── no ──▶ left where it is, and said
 *
 * What is kept was written by Sluice, but not always by this one, and a disk or a person may have been at it. One such value must neither keep the
 * process from starting, again and again, nor fail every list of rollouts. Nothing is repaired and nothing deleted: what it says of the
 * traffic is not believed, the traffic stays as it is, and a person is told. Who wants the version back has `sluice rollback`.
 *
 * Checked is what the code relies on: the shape, and that a report can be made, which goes through nearly all of it. Whether a value that has
 * its shape is true is not known; the state is Sluice's own (docs/state.md).
 */
import type { Logger } from '../../runtime/logger.ts';
import type { NewEvent } from '../events/event.ts';
import type { Store } from '../store/store.ts';
import { misshapen, type Shape } from './kept-shape.ts';
import { reportOf } from './report.ts';
import { reportMarkdown } from './report-markdown.ts';
import { PHASES, ROLLOUTS, type Rollout, rolloutKey } from './rollout.ts';
import { stepSummary } from './step-summary.ts';
import { strategyShape } from './strategy-shape.ts';
import { summaryOf } from './summary.ts';

export interface Unreadable {
  /** In the store. */
  readonly key: string;
  /** What is wrong with it, a few words. */
  readonly reason: string;
}

/** An older release has counted less. */
const side: Shape = { map: 'number' };

const summary: Shape = {
  fields: { version: 'text', requests: 'number', errors: 'number', userErrors: 'number', shielded: 'number' },
};

/** The rules of a decision look the same, and may be left out. */
const conditions: Shape = [{ fields: { condition: 'text', status: 'text', message: 'text' } }];

const step: Shape = {
  fields: {
    ...{ index: 'integer', name: 'text', kind: 'text', weight: 'percent', startedAt: 'time' },
    ...{
      endedAt: { maybe: 'time' },
      result: { maybe: 'text' },
      canary: { maybe: summary },
      stable: { maybe: summary },
    },
    conditions,
  },
};

const failure: Shape = {
  fields: {
    ...{ at: 'time', method: 'text', path: 'text', route: 'text', status: 'integer', flag: 'text' },
    ...{ duration: 'number', requestId: 'text', endpoint: 'text' },
  },
};

const rolloutShape: Shape = {
  fields: {
    ...{ id: 'text', service: 'text', version: 'text', stable: 'text', phase: 'text', strategy: strategyShape },
    ...{ createdAt: 'time', startedAt: { maybe: 'time' }, endedAt: { maybe: 'time' }, notBefore: { maybe: 'time' } },
    startedBy: { fields: { name: 'text', role: 'text' } },
    ...{ reason: 'text', digest: 'text' },
    risk: { fields: { score: 'number', items: [{ fields: { name: 'text', points: 'number', message: 'text' } }] } },
    ...{ step: 'integer', stepStartedAt: 'time', soaked: 'number', held: 'number', weight: 'percent' },
    pause: {
      maybe: {
        fields: { by: 'text', reason: 'text', since: 'time', for: { maybe: 'number' }, until: 'text' },
      },
    },
    waiting: { maybe: 'text' },
    approvals: [
      {
        fields: {
          ...{ approver: 'text', role: 'text', signature: { maybe: 'text' }, at: 'time', expires: 'time' },
          ...{ step: 'integer', digest: 'text' },
        },
      },
    ],
    tasks: {
      map: {
        fields: {
          startedAt: 'time',
          result: { maybe: { fields: { ok: 'flag', message: 'text', at: 'time', output: 'text' } } },
        },
      },
    },
    pack: { maybe: 'text' },
    before: { maybe: { fields: { lanes: { fields: { stable: 'text' } }, weights: { map: 'percent' } } } },
    rollback: {
      maybe: {
        fields: {
          ...{ mode: 'text', startedAt: 'time', nextAt: 'time', drainedAt: { maybe: 'time' } },
          verified: { maybe: { fields: { ok: 'flag', differences: ['text'] } } },
        },
      },
    },
    decision: {
      maybe: {
        fields: {
          ...{ at: 'time', cause: 'text', reason: 'text', by: 'text', step: 'integer', weight: 'percent', conditions },
          ...{ failures: [failure], firstFailureAt: { maybe: 'time' }, closedAt: { maybe: 'time' } },
          acknowledgedAt: { maybe: 'time' },
        },
      },
    },
    steps: [step],
    timeline: [{ fields: { at: 'time', kind: 'text', message: 'text' } }],
    counted: [{ fields: { share: 'number', canary: side, stable: side } }],
    failures: [failure],
    ...{ forgiven: 'number', retryOf: { maybe: 'text' } },
  },
};

/** @param onUnreadable is told of each that is left out. */
export async function rolloutsIn(
  store: Store,
  onUnreadable: (found: Unreadable) => void = () => {},
): Promise<Rollout[]> {
  const kept = (await store.list(ROLLOUTS)).map(({ key, value }) => ({ key, value, reason: faultOf(key, value) }));
  for (const { key, reason } of kept) if (reason !== null) onUnreadable({ key, reason });
  return kept.filter(({ reason }) => reason === null).map(({ value }) => value as Rollout);
}

function faultOf(key: string, value: unknown): string | null {
  const wrong = misshapen(value, rolloutShape);
  if (wrong !== null) return wrong;
  const rollout = value as Rollout;
  const { id, phase, step: at, strategy, rollback } = rollout;
  if (rolloutKey(id) !== key) return `it is called ${JSON.stringify(id)} inside`;
  if (!PHASES.includes(phase)) return 'phase is none that is known';
  if (at < -1 || at > strategy.steps.length) return 'step is none that the strategy has';
  if (phase === 'RollingBack' && rollback === null) return 'rollback is missing';
  return untold(rollout);
}

/** Makes of it what is shown of it, to see that it can be done. */
function untold(rollout: Rollout): string | null {
  try {
    summaryOf(rollout);
    for (const each of rollout.strategy.steps) stepSummary(each);
    reportMarkdown(reportOf(rollout, null, rollout.createdAt));
    return null;
  } catch (error) {
    return `no report can be made of it: ${(error as Error).message}`;
  }
}

/** Whoever starts Sluice reads it in the log, and everybody else in the events. */
export const tellUnreadable =
  (logger: Pick<Logger, 'error'>, events: { emit(event: NewEvent): void }) =>
  ({ key, reason }: Unreadable): void => {
    logger.error('rollout_unreadable', { key, reason });
    const message =
      `${key} in the state cannot be read (${reason}), so this rollout is neither shown nor watched; the traffic stays as it was left: ` +
      'look at it with sluice status, take a version back with sluice rollback SERVICE';
    events.emit({ type: 'rollout.unreadable', level: 'critical', message, data: { key, reason } });
  };

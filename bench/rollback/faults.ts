/**
 * What a canary may do wrong, and under which circumstances a run looks at it.
 *
 * Every fault begins either with the canary's very first request or at a random moment behind it; what is called slow is only known when stable has
 * been looked at for a while, so faults that only time can tell begin later. `bound` is when a run is given up.
 */
import type { Aim, Behaviour } from './messages.ts';

export interface FaultPlan {
  readonly id: string;
  readonly title: string;
  readonly service: string;
  readonly method: Aim['method'];
  readonly fault: Behaviour;
  /** The canary's process is killed. */
  readonly crash: boolean;
  /** What both versions do before, and stable all the while. */
  readonly latency: number;
  /** The fault begins between these many milliseconds behind the canary's first request; null: with it. */
  readonly begins: readonly [number, number] | null;
  readonly bound: number;
  /** Of the strategy, beside its steps. */
  readonly strategy: object;
  /** Whether users must not notice. */
  readonly hidden: boolean;
}

const SOON = [100, 900] as const;
/** When it is known what slow is. */
const LATER = [2_200, 3_000] as const;

/** Taken as the first request that fails, of a service with a shield, if nothing else is said. */
export function faultPlan(
  id: string,
  title: string,
  fault: Partial<Behaviour>,
  more: Partial<FaultPlan> = {},
): FaultPlan {
  const { latency = 5 } = more;
  return {
    ...{ id, title, service: 'shop', method: 'GET', crash: false, begins: SOON, bound: 15_000 },
    ...{ strategy: {}, hidden: true },
    ...more,
    fault: { ...{ fault: 'error', share: 1, path: '', latency }, ...fault },
    latency,
  };
}

/** The figure that the budget is about: in every second run from the first request on. */
export const MAIN_FAULTS: readonly FaultPlan[] = [
  faultPlan('main', '500s at 50 %, at a random moment', { share: 0.5 }),
  faultPlan('main', '500s at 50 %, from the first request', { share: 0.5 }, { begins: null }),
];

export const FAULTS: readonly FaultPlan[] = [
  faultPlan('all', '500s, every request', {}),
  faultPlan('five', '500s at 5 %', { share: 0.05 }, { bound: 60_000 }),
  faultPlan('one', '500s at 1 %', { share: 0.01 }, { bound: 60_000 }),
  faultPlan('slow', 'three times as slow (20 ms, then 60 ms)', { fault: 'slow' }, { begins: LATER, latency: 20 }),
  faultPlan('hang', 'hangs: never answers', { fault: 'hang' }, { begins: LATER }),
  faultPlan('hang-first', 'hangs from the first request', { fault: 'hang' }, { begins: null }),
  faultPlan('crash', 'crashes (SIGKILL; health checks on)', { fault: 'none' }, { service: 'checked', crash: true }),
  faultPlan('reset', 'resets connections', { fault: 'reset' }),
  faultPlan('garbage', 'answers with garbage', { fault: 'garbage' }),
  faultPlan('route', '500s on one route only, a tenth of the requests', { path: '/checkout' }),
  faultPlan('post', '500s at 50 %, POST: not repeated', { share: 0.5 }, { method: 'POST', hidden: false }),
  faultPlan('bare', '500s at 50 %, no shield', { share: 0.5 }, { service: 'bare', hidden: false }),
];

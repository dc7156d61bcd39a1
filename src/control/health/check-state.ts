/**
 * What a row of probe results says about an endpoint: rise and fall, as HAProxy has it, with the moments of doubt as states of their own.
 *
 *                 failed                     failed, `unhealthy` in a row
 *      ┌─ healthy ──────▶ failing ────────────────────▶ unhealthy ─┐
 *      │     ▲              │                               ▲      │
 *      │     └──────────────┘ passed                 failed │      │ passed
 *      │                                                    │      ▼
 *      └◀──────────────────────────────────────────────── recovering
 *                       passed, `healthy` in a row
 *
 *   healthy, failing        gets requests
 *   unhealthy, recovering   gets none
 *   healthy                 nothing speaks against it: probed every `interval`
 *   failing, recovering     `streak` results in a row speak for a change; whoever is in doubt is asked again soon
 *   unhealthy               likewise, so that it is not kept waiting once it is back
 *
 * All transitions are {@link afterProbe}. A threshold of 1 skips the state of doubt. An endpoint starts healthy: until something has been
 * measured nothing speaks against it, and a restart of Sluice must not take a service away for as long as its first checks take.
 */
import type { HealthConfig } from '../../model/policy-config.ts';

export type CheckPhase = 'healthy' | 'failing' | 'unhealthy' | 'recovering';

export interface CheckState {
  readonly phase: CheckPhase;
  /** Results in a row that speak against the settled phase. */
  readonly streak: number;
}

const HEALTHY: CheckState = { phase: 'healthy', streak: 0 };
const UNHEALTHY: CheckState = { phase: 'unhealthy', streak: 0 };

export const INITIAL_STATE = HEALTHY;

/** Whether an endpoint in this state gets requests. */
export const isHealthy = ({ phase }: CheckState): boolean => phase === 'healthy' || phase === 'failing';

export function afterProbe(
  state: CheckState,
  passed: boolean,
  thresholds: Pick<HealthConfig, 'healthy' | 'unhealthy'>,
): CheckState {
  const healthy = isHealthy(state);
  if (passed === healthy) return healthy ? HEALTHY : UNHEALTHY;
  const streak = state.streak + 1;
  if (streak >= (passed ? thresholds.healthy : thresholds.unhealthy)) return passed ? HEALTHY : UNHEALTHY;
  return { phase: passed ? 'recovering' : 'failing', streak };
}

/** Milliseconds from the start of one probe to the start of the next, before jitter. */
export function pauseIn({ phase }: CheckState, config: Pick<HealthConfig, 'interval' | 'unhealthyInterval'>): number {
  switch (phase) {
    case 'healthy':
      return config.interval;
    case 'failing':
      // A longer `unhealthyInterval` spares endpoints that are known to be dead; it is no reason to find out later.
      return Math.min(config.interval, config.unhealthyInterval);
    case 'unhealthy':
    case 'recovering':
      return config.unhealthyInterval;
  }
}

/** What the controller of rollouts works with, and how a turn is told from another in the audit. */
import { type ChangeCore, SELF } from '../change/change-core.ts';
import type { Actor, ChangeOptions } from '../operations.ts';
import type { Store } from '../store/store.ts';
import type { EvidenceRows } from './evidence-rows.ts';
import type { Observation } from './observation.ts';
import type { Rollout } from './rollout.ts';
import type { RolloutTasks } from './rollout-tasks.ts';
import type { RunningParts } from './running.ts';
import type { Turn } from './turn.ts';

export interface ControllerParts extends RunningParts {
  readonly core: ChangeCore;
  readonly store: Store;
  readonly rows: EvidenceRows;
  readonly wallClock: () => number;
  readonly logger: { error(event: string, fields?: Readonly<Record<string, unknown>>): void };
  readonly tasks: RolloutTasks;
}

/** How a turn came about, for the audit. */
export interface How {
  readonly actor: Actor;
  readonly options: ChangeOptions;
  readonly action: string;
}

export type Decide = (rollout: Rollout, seen: Observation, now: number) => Turn;

export const BY_ITSELF: How = { actor: SELF, options: {}, action: 'rollout.advance' };

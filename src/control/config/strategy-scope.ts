/**
 * What a strategy is checked in: where its faults go, what else the configuration has, and what it may name.
 *
 * A strategy comes from a file, from the presets, or with the call that starts a rollout. Only what the file says may name secrets and programs: who
 * may start a rollout need not be who may log in to the machine. So whether a secret can be had is asked here, and not looked up by the part that
 * names it.
 *
 * A strategy may build on another one. Then what it does not say itself was said elsewhere; `isOwn` tells the two apart.
 */
import type { ApproverConfig } from '../../model/rollout-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawSecret } from './raw-admin.ts';
import type { Review } from './review.ts';

export interface StrategyScope {
  readonly review: Review;
  /** Names of the metrics that are read elsewhere. */
  readonly metrics: readonly string[];
  /** Null where they cannot be told. */
  readonly approvers: readonly Pick<ApproverConfig, 'role'>[] | null;
  /** `env:NAME` or `file:/absolute/path`; null where a fault has been reported. */
  readonly secret: (raw: RawSecret, path: ConfigPath) => string | null;
  /** Reports where a program may not be named. */
  readonly checkCommand: (path: ConfigPath) => void;
}

/**
 * Taking traffic back in steps: every other version gives up its part of `by` percentage points, every `everyMs` milliseconds, until stable
 * has everything.
 *
 *     none ─start─▶ running ─step…─▶ all on stable ─▶ none
 *                     └─ somebody sets weights, or rolls back at once ─▶ none
 *
 * The first step is taken at the start. What is left to do is kept in the store with each step, so that a restart goes on where it was: time
 * spent down counts for one step at most. A step that cannot be made (the disk is full) is tried again at the next turn.
 */

import type { ServiceConfig } from '../../model/config.ts';
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Actor, ChangeOptions, WeightsChanged } from '../operations.ts';
import { OperationError } from '../problems.ts';
import { type RollbackOverride, rollbackKey, rollbackOf } from '../state/overrides.ts';
import { type ChangeCore, type Draft, SELF } from './change-core.ts';
import { findService } from './find.ts';
import { refuseChanged, rollbackEvent, stepDraft, weightsView } from './weights.ts';

/** Percentage points. */
export const DEFAULT_BY = 20;
export const DEFAULT_EVERY = 60_000;
const LOOK = 250;
/** Pause behind a step that could not be made, milliseconds. */
const AFTER_FAILURE = 5_000;

/** Weights after a step, percent by version; the hundredths that do not divide go to stable. */
export function stepBack(service: ServiceConfig, by: number): Readonly<Record<string, number>> {
  const { stable } = service.lanes;
  const others = service.versions.filter(({ name }) => name !== stable && (service.weights[name] ?? 0) > 0);
  const sum = others.reduce((total, { name }) => total + service.weights[name]!, 0);
  const left = Math.max(0, sum - by);
  const weights: Record<string, number> = Object.fromEntries(service.versions.map(({ name }) => [name, 0]));
  let given = 0;
  for (const { name } of others) {
    const hundredths = Math.floor(((service.weights[name]! * left) / sum) * 100 + 1e-6);
    weights[name] = hundredths / 100;
    given += hundredths;
  }
  weights[stable] = (10_000 - given) / 100;
  return weights;
}

export interface GradualRollbackOptions {
  readonly core: ChangeCore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wallClock: () => number;
}

export class GradualRollback {
  readonly #options: GradualRollbackOptions;
  readonly #interval: Interval;
  #stepping = false;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(options: GradualRollbackOptions) {
    this.#options = options;
    this.#interval = options.clock.setInterval(() => void this.#look(), LOOK);
  }

  async start(
    actor: Actor,
    name: string,
    options: ChangeOptions & { readonly by?: number; readonly everyMs?: number },
  ): Promise<WeightsChanged> {
    const { core, wallClock } = this.#options;
    refuseStandstill(options.by);
    const applied = await core.change(actor, options, (state) => {
      const service = findService(state.config, name);
      refuseChanged(service, options.ifMatch);
      const everyMs = options.everyMs ?? DEFAULT_EVERY;
      const plan = {
        by: options.by ?? DEFAULT_BY,
        everyMs,
        reason: options.reason ?? '',
        nextAt: wallClock() + everyMs,
      };
      const draft = this.#step(service, plan);
      return {
        ...draft,
        action: 'rollback',
        events: [rollbackEvent('rollback.started', service, options.reason), ...draft.events],
      };
    });
    return { ...weightsView(core.state, name), ...applied };
  }

  close(): void {
    this.#interval.stop();
  }

  #step(service: ServiceConfig, plan: RollbackOverride): Draft {
    const weights = stepBack(service, plan.by);
    const done = weights[service.lanes.stable] === 100;
    const how = {
      action: 'rollback.step',
      reason: plan.reason,
      also: done ? [rollbackEvent('rollback.finished', service, plan.reason)] : [],
    };
    const draft = stepDraft(service, weights, how);
    if (done) return { ...draft, deletes: [rollbackKey(service.name)] };
    return { ...draft, puts: [...(draft.puts ?? []), { key: rollbackKey(service.name), value: plan }] };
  }

  async #look(): Promise<void> {
    if (this.#stepping) return;
    const { core, clock, wallClock, logger } = this.#options;
    if (clock.now() < this.#notBefore) return;
    this.#stepping = true;
    for (const { name } of core.state.config.services) {
      const plan = rollbackOf(core.state.entries, name);
      if (plan === null || wallClock() < plan.nextAt) continue;
      const next = { ...plan, nextAt: wallClock() + plan.everyMs };
      await core
        .change(SELF, { reason: plan.reason }, (state) => {
          // Somebody may have ended it while this waited for its turn.
          const service = findService(state.config, name);
          if (rollbackOf(state.entries, name) === null) throw new EndedError();
          return this.#step(service, next);
        })
        .catch((error: Error) => {
          if (error instanceof EndedError) return;
          // Done, and a worker is late.
          if (error instanceof OperationError && error.code === 'not_acknowledged') return;
          this.#notBefore = clock.now() + AFTER_FAILURE;
          logger.error('rollback_step_failed', { service: name, message: error.message });
        });
    }
    this.#stepping = false;
  }
}

/** @throws OperationError invalid_request. A step below the resolution of weights would move nothing, for ever. */
function refuseStandstill(by: number | undefined): void {
  if (by === undefined || (by >= 0.01 && by <= 100)) return;
  const message = `by must be a percentage from 0.01 to 100, not ${by}`;
  throw new OperationError('invalid_request', message, [{ field: '/by', message }]);
}

/** It was ended while the step waited for its turn. */
class EndedError extends Error {}

/**
 * What may follow an attempt that went wrong: the decision of phase 8, apart from its doing.
 *
 *   shield   the attempt was on another version than stable, and stable may answer instead
 *   retry    another attempt on the same version, other endpoints first
 *   nothing  the client gets what there is
 *
 * The shield comes first: it costs one attempt, where retries on a bad version cost several and then still end there. Requests that
 * chose their version by name are not shielded unless asked for, because their sender wants to see that version's answer; they are retried.
 * A request can be repeated only while its whole body is at hand and its method allows it; a failed connect sent nothing and allows any.
 * Retries, shielded attempts and hedges share one budget, so that a service in trouble is not buried under repetitions of its own traffic.
 *
 * @hotpath bench/micro/admit.ts
 */
import { failureKind } from '../../model/counters.ts';
import type { ReplyCode } from '../../model/local-reply.ts';
import type { HedgeConfig, ShieldConfig } from '../../model/policy-config.ts';
import { FailureConditions } from './failure-conditions.ts';
import { methodSet } from './method-set.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { RetryPolicy } from './retry-policy.ts';

export const NOTHING = 0;
export const RETRY = 1;
export const SHIELD = 2;
export type NextStep = typeof NOTHING | typeof RETRY | typeof SHIELD;

/** An attempt that went wrong, in the eyes of the exchange; filled and read in one turn. */
export class Setback {
  /** How it failed, or null where it was answered. */
  code: ReplyCode | null = null;
  /** Status of its answer, 0 where there was none. */
  status = 0;
  method = '';
  /** Bytes of body that would have to be sent again. */
  bodyBytes = 0;
  /** Whether there is nobody to shield it: it was on stable, or stable has no endpoint. */
  unshielded = true;
  /** Whether the version was asked for by name. */
  forced = false;
  retries = 0;

  set(
    code: ReplyCode | null,
    status: number,
    request: { readonly method: string; readonly bytes: number },
    unshielded: boolean,
    forced: boolean,
    retries: number,
  ): void {
    this.code = code;
    this.status = status;
    this.method = request.method;
    this.bodyBytes = request.bytes;
    this.unshielded = unshielded;
    this.forced = forced;
    this.retries = retries;
  }
}

export class Recovery {
  readonly budget: RetryBudget;
  readonly retry: RetryPolicy | null;
  readonly hedgeAfter: number;
  /** Largest body that is kept for another attempt, bytes. */
  readonly maxBody: number;
  /** Whether a status can be a reason for another attempt. */
  readonly watchesStatus: boolean;
  readonly #shieldOn: FailureConditions | null;
  readonly #shieldMethods: ReadonlySet<string> | null;
  readonly #shieldForced: boolean;
  readonly #shieldBody: number;
  readonly #hedgeMethods: ReadonlySet<string> | null;

  constructor(retry: RetryPolicy | null, budget: RetryBudget, shield: ShieldConfig | null, hedge: HedgeConfig | null) {
    this.retry = retry;
    this.budget = budget;
    this.#shieldOn = shield === null ? null : new FailureConditions(shield.on);
    this.#shieldMethods = shield === null ? null : methodSet(shield.methods);
    this.#shieldForced = shield?.forced ?? false;
    this.#shieldBody = shield?.maxBody ?? 0;
    this.hedgeAfter = hedge?.after ?? 0;
    this.#hedgeMethods = hedge === null ? null : methodSet(hedge.methods);
    this.maxBody = Math.max(retry?.maxBody ?? 0, this.#shieldBody);
    this.watchesStatus = (retry?.conditions.watchesStatus ?? false) || (this.#shieldOn?.watchesStatus ?? false);
  }

  next(setback: Setback): NextStep {
    if (this.#isShielded(setback)) return SHIELD;
    const { retry } = this;
    if (retry === null || setback.retries >= retry.attempts || setback.bodyBytes > retry.maxBody) return NOTHING;
    if (!matches(retry.conditions, setback)) return NOTHING;
    return retry.allows(setback.method, wasSent(setback)) ? RETRY : NOTHING;
  }

  /**
   * Milliseconds before a retry. None where nothing was sent and another endpoint can be asked: it is not to blame.
   *
   * @param other whether there is one.
   */
  pause(setback: Setback, other: boolean): number {
    return other && !wasSent(setback) ? 0 : this.retry!.pause(setback.retries + 1);
  }

  /** Whether a second attempt may run beside the first. */
  mayHedge(method: string): boolean {
    return this.hedgeAfter > 0 && (this.#hedgeMethods === null || this.#hedgeMethods.has(method));
  }

  #isShielded(setback: Setback): boolean {
    const on = this.#shieldOn;
    if (on === null || setback.unshielded || (setback.forced && !this.#shieldForced)) return false;
    if (setback.bodyBytes > this.#shieldBody || !matches(on, setback)) return false;
    return !wasSent(setback) || this.#shieldMethods === null || this.#shieldMethods.has(setback.method);
  }
}

function matches(on: FailureConditions, setback: Setback): boolean {
  return setback.code === null ? on.status(setback.status) : on.failed(setback.code);
}

/** Whether the upstream may have seen the request. */
function wasSent(setback: Setback): boolean {
  return setback.code === null || failureKind(setback.code) !== 'connectFailures';
}

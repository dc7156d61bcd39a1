/**
 * Which ends of an attempt count as failed, in the eyes of a retry or of the shield.
 *
 * Two kinds that do not overlap. Either no answer came, and the failure has a reply code: `connect-failure`, `reset`, `timeout`. Or an answer
 * came, and its status is asked: `5xx`, `gateway-error` or a number. So `503` means an upstream that said 503, not the 503 that Sluice
 * would answer with where it found no connection; whoever wants both writes both, as the defaults do. (Envoy's `5xx` takes in resets and
 * timeouts. Here each word is one fact, so that a retry that must not repeat a request which timed out can say so.)
 *
 * A malformed answer counts as a reset: like a broken connection it shows that the upstream has lost its way, and nothing of it has reached
 * the client. What has nothing to do with an endpoint (a client's mistake, a rate limit, a full circuit) is no failure of an attempt.
 *
 * @hotpath bench/micro/admit.ts
 */
import type { ReplyCode } from '../../model/local-reply.ts';
import type { FailureCondition } from '../../model/policy-config.ts';

/** Statuses have three digits. */
const STATUSES = 1_000;

export class FailureConditions {
  /** Whether any status counts; where none does, an answer need not be held back to be judged. */
  readonly watchesStatus: boolean;
  readonly #codes = new Set<ReplyCode>();
  readonly #statuses = new Uint8Array(STATUSES);

  constructor(on: readonly FailureCondition[]) {
    for (const condition of on) this.#add(condition);
    this.watchesStatus = this.#statuses.includes(1);
  }

  /** Whether an attempt that ended without an answer counts as failed. */
  failed(code: ReplyCode): boolean {
    return this.#codes.has(code);
  }

  /** Whether an attempt that was answered with this status counts as failed. */
  status(status: number): boolean {
    return this.#statuses[status] === 1;
  }

  #add(condition: FailureCondition): void {
    switch (condition) {
      case 'connect-failure':
        this.#codes.add('connect_failed').add('connect_timeout');
        return;
      case 'reset':
        this.#codes.add('upstream_closed').add('upstream_malformed');
        return;
      case 'timeout':
        this.#codes.add('upstream_timeout');
        return;
      case '5xx':
        this.#statuses.fill(1, 500, 600);
        return;
      case 'gateway-error':
        this.#statuses.fill(1, 502, 505);
        return;
      default:
        this.#statuses[condition] = 1;
    }
  }
}

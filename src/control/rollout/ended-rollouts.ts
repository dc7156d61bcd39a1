/** How rollouts have ended since the process began, by service and phase; for metrics. */
import type { Phase, Rollout } from './rollout.ts';

export class EndedRollouts {
  readonly #counts = new Map<string, { readonly service: string; readonly phase: Phase; count: number }>();

  /** Call once for each end. */
  note({ service, phase }: Rollout): void {
    const known = this.#counts.get(`${service} ${phase}`) ?? { service, phase, count: 0 };
    known.count++;
    this.#counts.set(`${service} ${phase}`, known);
  }

  all(): readonly { readonly service: string; readonly phase: Phase; readonly count: number }[] {
    return [...this.#counts.values()];
  }
}

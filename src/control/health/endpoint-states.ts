/**
 * What an operator says of an endpoint: enabled, draining or disabled. Owner of the DRAINING and DISABLED flags.
 *
 *     enabled ─drain(deadline)─▶ draining ─deadline─▶ disabled ─enable─▶ enabled
 *        └──────────disable──────────────────────────────▲
 *
 * enabled: the endpoint takes its share. draining: no request is sent there but those of the sessions that are pinned to it. disabled: none at
 * all. Requests in flight finish in every state. A deadline of 0 ends the draining at once; without one it lasts until somebody ends it. One
 * beyond 24 days counts as 24 days: Node's timers end there, and a longer one would fire at once.
 */
import { clearFlag, DISABLED, DRAINING, type EndpointTable, flagsOf, setFlag } from '../../model/endpoint-table.ts';
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';

/** Milliseconds. */
const LONGEST_DEADLINE = 24 * 24 * 3_600_000;

export type EndpointState = 'enabled' | 'draining' | 'disabled';

export interface EndpointStatesOptions {
  readonly clock: Clock;
  readonly table: EndpointTable;
  readonly logger: Logger;
  /** Called when a draining has ended at its deadline, not at an operator's word. */
  readonly onDeadline?: (endpointId: number) => void;
}

export class EndpointStates {
  readonly #options: EndpointStatesOptions;
  readonly #deadlines = new Map<number, Interval>();

  constructor(options: EndpointStatesOptions) {
    this.#options = options;
  }

  stateOf(endpointId: number): EndpointState {
    const flags = flagsOf(this.#options.table, endpointId);
    if ((flags & DISABLED) !== 0) return 'disabled';
    return (flags & DRAINING) !== 0 ? 'draining' : 'enabled';
  }

  enable(endpointId: number): void {
    this.#forgetDeadline(endpointId);
    clearFlag(this.#options.table, endpointId, DRAINING);
    clearFlag(this.#options.table, endpointId, DISABLED);
    this.#say(endpointId, 'enabled');
  }

  /** @param deadline milliseconds after which its sessions move too; left out, they never have to. */
  drain(endpointId: number, deadline?: number): void {
    this.#forgetDeadline(endpointId);
    // Set before the other is taken away, so that the endpoint is at no moment open.
    setFlag(this.#options.table, endpointId, DRAINING);
    clearFlag(this.#options.table, endpointId, DISABLED);
    this.#say(endpointId, 'draining');
    if (deadline === undefined) return;
    if (deadline <= 0) return this.disable(endpointId);
    this.#deadlines.set(
      endpointId,
      this.#options.clock.setInterval(() => this.#endDrain(endpointId), Math.min(deadline, LONGEST_DEADLINE)),
    );
  }

  disable(endpointId: number): void {
    this.#forgetDeadline(endpointId);
    setFlag(this.#options.table, endpointId, DISABLED);
    clearFlag(this.#options.table, endpointId, DRAINING);
    this.#say(endpointId, 'disabled');
  }

  /** The endpoint is gone, and its number may be another one's. */
  forget(endpointId: number): void {
    this.#forgetDeadline(endpointId);
  }

  close(): void {
    for (const id of this.#deadlines.keys()) this.#forgetDeadline(id);
  }

  #endDrain(endpointId: number): void {
    this.disable(endpointId);
    this.#options.onDeadline?.(endpointId);
  }

  #forgetDeadline(endpointId: number): void {
    this.#deadlines.get(endpointId)?.stop();
    this.#deadlines.delete(endpointId);
  }

  #say(endpoint: number, state: EndpointState): void {
    this.#options.logger.info('endpoint_state', { endpoint, state });
  }
}

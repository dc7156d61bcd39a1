/**
 * Outlier detection where the failures are seen: counts failures in a row per endpoint, over all workers, and ejects at once.
 *
 *     answer below 500                     ends all three rows
 *     500 to 599                           5xx +1, ends local
 *     502, 503, 504                        gateway +1 as well; another 5xx ends it
 *     refused, reset, late or malformed    5xx +1, gateway +1, local +1
 *
 * The counts are in the shared row of the endpoint (model/endpoint-table.ts), so that five failures are five wherever they were seen; that
 * is why an ejection does not wait for the control plane. A success only reads, unless it ends a row: a healthy service writes nothing
 * shared, and its cache lines stay with every worker. Two workers that interleave a failure and a success may count one too many
 * or too few, which no user could tell from the requests having come in another order.
 *
 * Reaching a threshold ejects the endpoint if its version can spare it (the cap: model/ejection.ts has the rule and the reasons),
 * and the counts begin again either way, so that a cap that holds is asked about once per row and not once per failure. Endpoints that
 * are ejected are not counted: what was under way when they were ejected must not greet them when they are back. Who lets them back in
 * is the control plane. A threshold of 0 never counts.
 *
 * Pedigree: Envoy's outlier detection with its local origin failures counted among the others.
 *
 * @hotpath bench/micro/outlier.ts
 */
import { type EjectionCap, eject, ejectionCap, forgetFailures } from '../../model/ejection.ts';
import type { EndpointTable } from '../../model/endpoint-table.ts';
import {
  CONSECUTIVE_5XX,
  CONSECUTIVE_GATEWAY,
  CONSECUTIVE_LOCAL,
  EJECTED,
  endpointRow,
  FLAGS,
} from '../../model/endpoint-table.ts';
import type { OutlierConfig } from '../../model/policy-config.ts';

export class OutlierDetector {
  readonly #table: EndpointTable;
  readonly #endpointIds: readonly number[];
  readonly #error5xx: number;
  readonly #gateway: number;
  readonly #local: number;
  readonly #cap: EjectionCap;

  /**
   * @param endpointIds all endpoints of the version.
   * @param mayEmpty lifts the cap, so that even the last endpoint may be ejected: for versions other than stable.
   */
  constructor(config: OutlierConfig, table: EndpointTable, endpointIds: readonly number[], mayEmpty: boolean) {
    this.#table = table;
    this.#endpointIds = endpointIds;
    this.#error5xx = config.consecutive5xx;
    this.#gateway = config.consecutiveGateway;
    this.#local = config.consecutiveLocal;
    this.#cap = ejectionCap(endpointIds.length, config.maxEjectionPercent, mayEmpty);
  }

  /** An attempt was answered. */
  answered(endpointId: number, status: number): void {
    const table = this.#table;
    const row = endpointRow(endpointId);
    if (table[row + CONSECUTIVE_LOCAL] !== 0) Atomics.store(table, row + CONSECUTIVE_LOCAL, 0);
    if (status < 500) {
      if (table[row + CONSECUTIVE_5XX] !== 0) Atomics.store(table, row + CONSECUTIVE_5XX, 0);
      if (table[row + CONSECUTIVE_GATEWAY] !== 0) Atomics.store(table, row + CONSECUTIVE_GATEWAY, 0);
      return;
    }
    if ((table[row + FLAGS]! & EJECTED) !== 0) return;
    let enough = this.#count(row + CONSECUTIVE_5XX, this.#error5xx);
    if (status >= 502 && status <= 504) enough = this.#count(row + CONSECUTIVE_GATEWAY, this.#gateway) || enough;
    else if (table[row + CONSECUTIVE_GATEWAY] !== 0) Atomics.store(table, row + CONSECUTIVE_GATEWAY, 0);
    if (enough) this.#eject(endpointId, row);
  }

  /** An attempt failed without a usable answer: refused, reset, late or malformed. */
  failedLocally(endpointId: number): void {
    const row = endpointRow(endpointId);
    if ((this.#table[row + FLAGS]! & EJECTED) !== 0) return;
    let enough = this.#count(row + CONSECUTIVE_5XX, this.#error5xx);
    enough = this.#count(row + CONSECUTIVE_GATEWAY, this.#gateway) || enough;
    enough = this.#count(row + CONSECUTIVE_LOCAL, this.#local) || enough;
    if (enough) this.#eject(endpointId, row);
  }

  #count(slot: number, threshold: number): boolean {
    return threshold !== 0 && Atomics.add(this.#table, slot, 1) + 1 >= threshold;
  }

  /** A cap that holds is asked about once per row of failures, not once per failure. */
  #eject(endpointId: number, row: number): void {
    if (!eject(this.#table, this.#endpointIds, endpointId, this.#cap)) forgetFailures(this.#table, row);
  }
}

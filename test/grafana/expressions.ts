/**
 * PromQL that several panels share: which series are meant, and how a version gets its lane.
 *
 * A version's lane is a label of sluice_weight alone, because it changes while counters go on. So what is counted per version is multiplied by
 * 1 from there, instance by instance: two Sluices need not agree on the lane, and Prometheus refuses a match that is not unique. A version that
 * becomes stable therefore takes its curve along from the moment in which it is.
 *
 * A rate of nothing divided by a rate of nothing is no number, so what divides leaves out rates of 0: no traffic is a gap, not a 0.
 */
export const INSTANCE = 'instance=~"$instance"';
export const SERVICE = `${INSTANCE},service="$service"`;
export const VERSION = `${SERVICE},version=~"$version"`;

export const rate = (metric: string, selector: string): string => `rate(${metric}{${selector}}[$__rate_interval])`;

const LANE = `on (instance, service, version) group_left (lane) (sluice_weight{${SERVICE},lane!=""} >= bool 0)`;

/** Sum per version with its lane. @param of per instance, service and version, and what else `by` names. */
export const byLane = (of: string, ...by: readonly string[]): string =>
  `sum by (${['lane', 'version', ...by].join(', ')}) (\n  ${of}\n  * ${LANE}\n)`;

/** Attempts per second. @param more such as `,outcome="reset"` */
export const attempts = (more = ''): string =>
  byLane(`sum by (instance, service, version) (${rate('sluice_attempts_total', VERSION + more)})`);

export const FAILED = ',outcome!~"[1-4]xx"';

/** Seconds to the head of the answer. @param quantile 0 to 1 */
export const latencyByLane = (quantile: number): string =>
  `histogram_quantile(\n  ${quantile},\n  ${byLane(rate('sluice_upstream_duration_seconds_bucket', VERSION), 'le')}\n)`;

/** Share of answers that were a 5xx, 0 where there was none of them. @param by labels that are left */
export function userErrors(selector: string, by = ''): string {
  const sum = by === '' ? 'sum' : `sum by (${by})`;
  const all = `${sum} (${rate('sluice_requests_total', selector)})`;
  const failed = `${sum} (${rate('sluice_requests_total', `${selector},code=~"5.."`)})`;
  return `(${failed} or 0 * ${all})\n/ (${all} > 0)`;
}

/** In the order of their numbers, from 1 on; of every phase there is one series at most, so the numbers do not meet. */
export const PHASES = [
  ['Queued', 'text'],
  ['Preflight', 'purple'],
  ['Progressing', 'blue'],
  ['Paused', 'yellow'],
  ['Promoting', 'semi-dark-blue'],
  ['Succeeded', 'green'],
  ['RollingBack', 'orange'],
  ['RolledBack', 'red'],
  ['Failed', 'dark-red'],
] as const;

/** The phase of a rollout as its number. */
export const phaseNumber = (selector: string, by: string): string =>
  `max by (${by}) (\n  ${PHASES.map(
    ([phase], i) => `${i + 1} * sluice_rollout_phase{${selector},phase="${phase}"}`,
  ).join('\n  or ')}\n)`;

export const ENDPOINT_STATES = [
  ['available', 'green'],
  ['unhealthy', 'red'],
  ['ejected', 'orange'],
  ['draining', 'blue'],
  ['disabled', 'text'],
] as const;

/** Why an endpoint takes no traffic, as a number; what the operator said comes before what was found out. */
export function endpointState(): string {
  const same = 'or on (instance, service, version, endpoint)';
  return `max by (version, endpoint) (
  4 * sluice_endpoint_state{${VERSION},state="disabled"}
  ${same} 3 * sluice_endpoint_state{${VERSION},state="draining"}
  ${same} 2 * (sluice_endpoint_ejected{${VERSION}} == 1)
  ${same} 1 + (sluice_endpoint_healthy{${VERSION}} == 0)
  ${same} sluice_endpoint_available{${VERSION}} - 1
)`;
}

/**
 * Samples of everything that is counted per version.
 *
 * What every version has (attempts by outcome, durations, requests) is there from the first scrape on, at 0, so that `rate()` has a point to
 * start from. What belongs to a feature is there where the service has the feature configured, or something has been counted all the
 * same. Codes appear with their first answer: all 64 of them for every version would be dead weight.
 */
import { VERSION_SLOTS } from '../../model/counters.ts';
import {
  DURATION_BOUNDS,
  DURATION_BUCKETS,
  REQUEST_DURATION_SUM,
  REQUEST_DURATIONS,
  STATUSES,
  UPSTREAM_DURATION_SUM,
  UPSTREAM_DURATIONS,
} from '../../model/request-table.ts';
import type { ServiceSnapshot } from '../../model/snapshot.ts';
import type { MetricName } from './metric-table.ts';
import type { Collect, Sample } from './sample.ts';
import type { Reading, VersionReading } from './version-readings.ts';

const V = VERSION_SLOTS;

/** In the order of the slots from `status1xx` on. */
const OUTCOMES = [
  ...['1xx', '2xx', '3xx', '4xx', '5xx'],
  ...['connect_failure', 'reset', 'timeout', 'malformed'],
] as const;

const CODES = STATUSES.map(String);

/** Whole numbers with a `.0`, as OpenMetrics wants it, in both formats: a series must not change its name with the format. */
const BOUNDS = [...DURATION_BOUNDS.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`)), '+Inf'].map(
  (le) => ({ le }),
);

type Has = (service: ServiceSnapshot) => boolean;

const always: Has = () => true;
const repeats: Has = ({ retry, shield, hedge }) => retry !== null || shield !== null || hedge !== null;
const shields: Has = ({ shield }) => shield !== null;
const hedges: Has = ({ hedge }) => hedge !== null;
const sticks: Has = ({ affinity }) => affinity !== null;
const breaks: Has = ({ circuit }) => Object.values(circuit).some((limit) => limit > 0);

/** Metrics that are one slot of a version. */
const SLOTS = {
  sluice_requests_routed_total: [V.requests, always],
  sluice_version_requests_in_flight: [V.active, always],
  sluice_requests_pending: [V.pending, always],
  sluice_retries_total: [V.retries, ({ retry }) => retry !== null],
  sluice_retries_denied_total: [V.retriesDenied, repeats],
  sluice_retries_in_flight: [V.retrying, repeats],
  sluice_shielded_total: [V.shielded, shields],
  sluice_shield_saved_total: [V.shieldSaved, shields],
  sluice_hedges_total: [V.hedges, hedges],
  sluice_hedge_wins_total: [V.hedgeWins, hedges],
  sluice_failovers_total: [V.failovers, ({ versions }) => versions.length > 1],
  sluice_circuit_overflows_total: [V.overflows, breaks],
  sluice_affinity_hits_total: [V.affinityHits, sticks],
  sluice_affinity_misses_total: [V.affinityMisses, sticks],
} as const satisfies { readonly [Name in MetricName]?: readonly [slot: number, has: Has] };

/** @param nowhere requests that never had a version. */
export function versionCollectors(versions: readonly VersionReading[], nowhere: Reading) {
  const ofSlots = Object.entries(SLOTS).map(([metric, [slot, has]]) => [
    metric,
    () => countSamples(versions, has, ({ counters }) => counters[slot]!),
  ]);
  return {
    ...(Object.fromEntries(ofSlots) as Readonly<Record<keyof typeof SLOTS, Collect>>),
    sluice_requests_total: () => [...versions, nowhere].flatMap(requestSamples),
    sluice_request_duration_seconds: () => [...versions, ...seen(nowhere)].flatMap(requestDurationSamples),
    sluice_upstream_duration_seconds: () => versions.flatMap(upstreamDurationSamples),
    sluice_attempts_total: () => versions.flatMap(attemptSamples),
    sluice_shield_delay_seconds_total: () =>
      countSamples(versions, shields, ({ counters }) => counters[V.shieldDelay]! / 1000),
  };
}

function countSamples(
  readings: readonly VersionReading[],
  has: Has,
  value: (reading: VersionReading) => number,
): Sample[] {
  const samples: Sample[] = [];
  for (const reading of readings) {
    const count = value(reading);
    if (count > 0 || has(reading.service)) samples.push({ value: count, sharedLabels: reading.names });
  }
  return samples;
}

/** Without an answer there is nothing of it: a series without names would be a riddle on every dashboard. */
const seen = (nowhere: Reading): Reading[] => (nowhere.durations.some((count) => count > 0) ? [nowhere] : []);

const attemptSamples = ({ names, counters }: VersionReading): Sample[] =>
  OUTCOMES.map((outcome, i) => ({ value: counters[V.status1xx + i]!, labels: { ...names, outcome } }));

function requestSamples({ names, statuses }: Reading): Sample[] {
  const samples: Sample[] = [];
  for (const [lane, counts] of statuses) {
    for (let i = 0; i < counts.length; i++) {
      const value = counts[i]!;
      if (value > 0) samples.push({ value, labels: { ...names, lane, code: CODES[i]! } });
    }
  }
  return samples;
}

const requestDurationSamples = (reading: Reading): Sample[] =>
  histogramSamples('sluice_request_duration_seconds', reading, REQUEST_DURATIONS, REQUEST_DURATION_SUM);

const upstreamDurationSamples = (reading: Reading): Sample[] =>
  histogramSamples('sluice_upstream_duration_seconds', reading, UPSTREAM_DURATIONS, UPSTREAM_DURATION_SUM);

/** @param first, sum slots of the first bucket and of the sum. */
function histogramSamples(metric: MetricName, { names, durations }: Reading, first: number, sum: number): Sample[] {
  const at = (slot: number): number => durations[slot - REQUEST_DURATIONS]!;
  const samples: Sample[] = [];
  let value = 0;
  for (let bucket = 0; bucket < DURATION_BUCKETS; bucket++) {
    value += at(first + bucket);
    samples.push({ metricName: `${metric}_bucket`, value, labels: BOUNDS[bucket]!, sharedLabels: names });
  }
  samples.push({ metricName: `${metric}_sum`, value: at(sum) / 1000, sharedLabels: names });
  samples.push({ metricName: `${metric}_count`, value, sharedLabels: names });
  return samples;
}

/**
 * What a version did over the last minutes, as charts and figures want it: a list of samples per version, one a second, and rates between them.
 *
 *     rate at i = (counter[i] − counter[i−SPAN]) / (time[i] − time[i−SPAN])
 *
 * Counters only rise, so a rate over a few samples misses nothing and counts nothing twice; where one is lower than it was, Sluice has been started anew and the
 * list begins again. Rates over SPAN samples rather than one, because at a hundred requests per second a single second jumps by ten percent from chance alone.
 * Older points come from the monitor's history, which has one every ten seconds; they make the charts tell something from the first moment.
 */
import type { HistoryPoint, ServiceView, VersionView } from '../api/views.ts';

/** Samples that a rate is taken over. */
const SPAN = 3;
/** Five minutes. */
export const MOST = 300;
/** A gap longer than this is drawn as one, milliseconds. */
const LONGEST_GAP = 15_000;

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly weight: number;
  /** Counters since Sluice was started. */
  readonly requests: number;
  readonly attempts: number;
  readonly failed: number;
  readonly replies: number;
  readonly userErrors: number;
  readonly shielded: number;
  readonly saved: number;
  readonly retries: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface Rates {
  /** Requests that the version was chosen for, per second. */
  readonly requests: number;
  /** Percent of its attempts that failed; null without attempts. */
  readonly failed: number | null;
  /** Percent of its users' answers that were 5xx; null without answers. */
  readonly userErrors: number | null;
  /** Requests per second that failed here and were handed to stable. */
  readonly shielded: number;
  readonly retries: number;
}

export function sampleOf({ weight, traffic, values }: VersionView, at: number): Sample {
  const { attempts, replies, shield } = traffic;
  const failed = attempts['5xx'] + attempts.connect + attempts.reset + attempts.timeout + attempts.malformed;
  return {
    ...{ at, weight, requests: traffic.requests, failed },
    attempts: failed + attempts['2xx'] + attempts['3xx'] + attempts['4xx'],
    replies: replies['2xx'] + replies['3xx'] + replies['4xx'] + replies['5xx'],
    userErrors: replies['5xx'],
    ...{ shielded: shield.requests, saved: shield.saved, retries: traffic.retries },
    ...{ p50: values.p50, p95: values.p95, p99: values.p99 },
  };
}

export const keyOf = (service: string, version: string): string => `${service}\n${version}`;

export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** The samples with one more for every version; those of versions that are gone are dropped. */
export function extended(samples: Samples, services: readonly ServiceView[], at: number): Samples {
  const next = new Map<string, readonly Sample[]>();
  for (const service of services) {
    for (const version of service.versions) {
      const key = keyOf(service.name, version.name);
      const known = samples.get(key) ?? [];
      const sample = sampleOf(version, at);
      const last = known.at(-1);
      const restarted = last !== undefined && (sample.requests < last.requests || sample.attempts < last.attempts);
      next.set(key, restarted ? [sample] : [...known.slice(-(MOST - 1)), sample]);
    }
  }
  return next;
}

/** @param span samples back; the present by default. Null with fewer than two samples. */
export function ratesAt(samples: readonly Sample[], index = samples.length - 1, span = SPAN): Rates | null {
  const to = samples[index];
  const from = samples[Math.max(0, index - span)];
  if (to === undefined || from === undefined || to.at <= from.at) return null;
  const seconds = (to.at - from.at) / 1000;
  const grown = (key: 'requests' | 'attempts' | 'failed' | 'replies' | 'userErrors' | 'shielded' | 'retries'): number =>
    to[key] - from[key];
  const share = (part: number, whole: number): number | null => (whole > 0 ? (100 * part) / whole : null);
  return {
    requests: grown('requests') / seconds,
    failed: share(grown('failed'), grown('attempts')),
    userErrors: share(grown('userErrors'), grown('replies')),
    shielded: grown('shielded') / seconds,
    retries: grown('retries') / seconds,
  };
}

/** Columns for a chart: seconds since 1970, and null where there is nothing to draw. */
export interface Track {
  readonly times: readonly number[];
  readonly requests: readonly (number | null)[];
  readonly failed: readonly (number | null)[];
  readonly p95: readonly (number | null)[];
}

/** @param history points from before the first sample; later ones are left out. */
export function trackOf(samples: readonly Sample[], history: readonly HistoryPoint[]): Track {
  const times: number[] = [];
  const requests: (number | null)[] = [];
  const failed: (number | null)[] = [];
  const p95: (number | null)[] = [];
  const add = (at: number, values: readonly [number | null, number | null, number | null]): void => {
    const last = times.at(-1);
    if (last !== undefined && at / 1000 - last > LONGEST_GAP / 1000) {
      times.push(last + 1);
      for (const column of [requests, failed, p95]) column.push(null);
    }
    times.push(at / 1000);
    requests.push(values[0]);
    failed.push(values[1]);
    p95.push(values[2]);
  };
  const first = samples[0]?.at ?? Number.POSITIVE_INFINITY;
  for (const { at, values } of history) {
    if (at < first) add(at, [values.throughput ?? null, values.error_rate ?? null, values.p95 ?? null]);
  }
  for (const [index, sample] of samples.entries()) {
    const rates = ratesAt(samples, index);
    if (rates !== null) add(sample.at, [rates.requests, rates.failed, sample.p95]);
  }
  return { times, requests, failed, p95 };
}

/**
 * Services as the dashboard gets them, with as little of each as a test asks for.
 */
import type { EndpointView, Lane, ServiceView, Values, VersionView } from '../../src/dashboard/api/views.ts';
import { keyOf, type Sample, type Samples } from '../../src/dashboard/state/samples.ts';

const NO_VALUES: Values = { availability: null, error_rate: null, throughput: null, p50: null, p95: null, p99: null };

export const endpoint = (url: string, more: Partial<EndpointView> = {}): EndpointView => ({
  ...{ url, weight: 1, state: 'enabled', healthy: true, ejected: false, available: true },
  ...{ inFlight: 0, attempts: 0, values: NO_VALUES },
  ...more,
});

const version = (name: string, lane: Lane | null, weight: number, endpoints: readonly EndpointView[]): VersionView => ({
  ...{ name, lane, weight, endpoints, attempts: 0, values: NO_VALUES },
  traffic: {
    ...{ requests: 0, inFlight: 0, retries: 0, failovers: 0, shield: { requests: 0, saved: 0 } },
    attempts: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, connect: 0, reset: 0, timeout: 0, malformed: 0 },
    replies: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  },
});

/** @param lanes stable is v1. @param endpoints by version; one that is up unless told. */
export function service(
  weights: Readonly<Record<string, number>>,
  lanes: Partial<ServiceView['lanes']> = {},
  endpoints: Readonly<Record<string, readonly EndpointView[]>> = {},
): ServiceView {
  const all: ServiceView['lanes'] = { stable: 'v1', ...lanes };
  const laneOf = (name: string): Lane | null =>
    (['stable', 'canary', 'candidate'] as const).find((lane) => all[lane] === name) ?? null;
  return {
    ...{ name: 'shop', lanes: all, weights, etag: 'first', strategy: 'weighted', overrides: [] },
    ...{ rollback: null, rollout: null, alerts: [] },
    versions: Object.entries(weights).map(([name, weight]) =>
      version(name, laneOf(name), weight, endpoints[name] ?? [endpoint(`http://127.0.0.1/${name}`)]),
    ),
  };
}

/** Ten seconds of so many requests per second. @param failed percent of them. */
export function samples(rates: Readonly<Record<string, { readonly rate: number; readonly failed?: number }>>): Samples {
  const nothing: Sample = {
    ...{ at: 0, weight: 0, requests: 0, attempts: 0, failed: 0, replies: 0, userErrors: 0 },
    ...{ shielded: 0, saved: 0, retries: 0, p50: null, p95: null, p99: null },
  };
  return new Map(
    Object.entries(rates).map(([name, { rate, failed = 0 }]) => [
      keyOf('shop', name),
      Array.from({ length: 11 }, (_, second) => ({
        ...{ ...nothing, at: second * 1000, requests: rate * second, attempts: rate * second },
        failed: (rate * second * failed) / 100,
      })),
    ]),
  );
}

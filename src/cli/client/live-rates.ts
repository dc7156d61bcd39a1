/**
 * Rates between two readings of the counters: what happened since the last look, not over the monitor's window of a minute.
 *
 *     rate = (attempts now - attempts then) / seconds between      error rate = failed of them / them
 *
 * The counters only rise, so whatever the interval, nothing is missed or counted twice. Without an earlier reading, or where a counter is lower than
 * it was because the server has been started anew, there is no difference to take and the answer is null: the caller shows the window's values.
 * No attempt in between is a rate of 0 and no error rate at all.
 */
import type { ServiceView, VersionView } from '../../control/operations.ts';

export interface Reading {
  readonly services: readonly ServiceView[];
  /** Monotonic, milliseconds. */
  readonly at: number;
}

export interface LiveRate {
  /** Attempts per second. */
  readonly throughput: number;
  /** Percent; null without an attempt. */
  readonly errorRate: number | null;
}

/** By service and version, for those that both readings have. */
export function ratesBetween(
  before: Reading | null,
  now: Reading,
): (service: string, version: string) => LiveRate | null {
  const counts = new Map<string, Counts>();
  for (const [key, version] of versionsOf(before)) counts.set(key, countsOf(version));
  const seconds = before === null ? 0 : (now.at - before.at) / 1000;
  const rates = new Map<string, LiveRate>();
  for (const [key, version] of versionsOf(now)) {
    const then = counts.get(key);
    if (then === undefined || seconds <= 0) continue;
    const { attempts, errors } = countsOf(version);
    const made = attempts - then.attempts;
    const failed = errors - then.errors;
    if (made < 0 || failed < 0) continue;
    rates.set(key, { throughput: made / seconds, errorRate: made === 0 ? null : (100 * failed) / made });
  }
  return (service, version) => rates.get(keyOf(service, version)) ?? null;
}

interface Counts {
  readonly attempts: number;
  readonly errors: number;
}

function countsOf({ traffic }: VersionView): Counts {
  const {
    '2xx': ok,
    '3xx': redirects,
    '4xx': refused,
    '5xx': failed,
    connect,
    reset,
    timeout,
    malformed,
  } = traffic.attempts;
  const errors = failed + connect + reset + timeout + malformed;
  return { attempts: ok + redirects + refused + errors, errors };
}

function* versionsOf(reading: Reading | null): Generator<readonly [string, VersionView]> {
  for (const service of reading?.services ?? []) {
    for (const version of service.versions) yield [keyOf(service.name, version.name), version];
  }
}

/** A name holds no blank. */
const keyOf = (service: string, version: string): string => `${service} ${version}`;

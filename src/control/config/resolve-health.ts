/**
 * When an endpoint is used: active checks and ejection.
 *
 * Both are off unless written, since a probe that nobody asked for is a stranger's load on the upstream; an empty mapping turns them
 * on. A default that would contradict a written value gives way to it (the longest ejection is never shorter than the first,
 * an unhealthy endpoint is never probed more slowly than a healthy one); two written values that contradict each other are a fault.
 */
import type { HealthConfig, OutlierConfig } from '../../model/policy-config.ts';
import { isAuthority } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import type { RawHealth, RawOutlier, RawStatus } from './raw-config.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { HEALTH, OUTLIER, PLAIN_DEFAULTS, SUCCESS_RATE } from './settings.ts';
import { shown } from './structure.ts';

/** What a probe reads of a body (health/probe-http.ts), bytes. */
const BODY_READ = 64 * 1024;
/** Fastest that an unhealthy endpoint is probed unless asked for, milliseconds. */
const UNHEALTHY_INTERVAL_FLOOR = 100;

type StatusRange = HealthConfig['status'][number];

export function resolveHealth(raw: RawHealth | undefined, path: ConfigPath, review: Review): HealthConfig | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const numbers = resolveSettings(HEALTH, raw, path, review);
  if (!review.sound(path)) return undefined;
  // At most the interval itself, where that is shorter than the floor.
  const quarter = Math.min(numbers.interval, Math.max(UNHEALTHY_INTERVAL_FLOOR, Math.round(numbers.interval / 4)));
  const { path: probed = PLAIN_DEFAULTS.healthPath, host, body } = raw;
  if (raw.tcp === true) {
    for (const key of ['path', 'host', 'status', 'body'] as const) {
      if (raw[key] !== undefined) review.reportKey([...path, key], 'a TCP check only connects; remove this, or tcp');
    }
  }
  if (!probed.startsWith('/')) {
    review.report([...path, 'path'], `must begin with "/"; write ${shown(`/${probed}`)}`);
  } else if (/[^\x21-\x7e]|#/.test(probed)) {
    review.report([...path, 'path'], 'must be a path as it is sent: no fragment, spaces or unescaped characters');
  }
  if (host !== undefined && !isAuthority(host)) {
    review.report([...path, 'host'], `must be a host such as shop.internal or shop.internal:8080, not ${shown(host)}`);
  }
  if (body !== undefined && Buffer.byteLength(body) > BODY_READ) {
    review.report([...path, 'body'], 'is longer than the 64KiB of a body that are looked at; write a part of it');
  }
  return {
    type: raw.tcp === true ? 'tcp' : 'http',
    path: probed,
    ...(host === undefined ? {} : { host }),
    status: resolveStatus(raw.status ?? PLAIN_DEFAULTS.healthStatus, [...path, 'status'], review),
    ...(body === undefined ? {} : { body }),
    ...numbers,
    unhealthyInterval: raw.unhealthyInterval === undefined ? quarter : numbers.unhealthyInterval,
  };
}

function resolveStatus(raw: RawStatus | readonly RawStatus[], path: ConfigPath, review: Review): StatusRange[] {
  const list = typeof raw === 'object' ? raw : [raw];
  return list.map((written, index) => {
    const place = typeof raw === 'object' ? [...path, index] : path;
    const [from = 0, to = from] = String(written).split('-').map(Number);
    if (from > to) review.report(place, `ends before it begins; write ${to}-${from}`);
    return [from, to];
  });
}

export function resolveOutlier(
  raw: RawOutlier | undefined,
  path: ConfigPath,
  review: Review,
): OutlierConfig | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const numbers = resolveSettings(OUTLIER, raw, path, review);
  const successRate = resolveSettings(SUCCESS_RATE, raw.successRate, [...path, 'successRate'], review);
  if (review.sound(path) && raw.maxEjection !== undefined && numbers.maxEjection < numbers.baseEjection) {
    const message = `${shown(raw.maxEjection)} is less than baseEjection; raise it, or lower baseEjection`;
    review.report([...path, 'maxEjection'], message);
  }
  return {
    ...numbers,
    maxEjection: Math.max(numbers.maxEjection, numbers.baseEjection),
    successRateMinimumHosts: successRate.minimumHosts,
    successRateMinimumRequests: successRate.minimumRequests,
    successRateStdevFactor: successRate.stdevFactor,
  };
}

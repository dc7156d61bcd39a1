/**
 * One service: versions with their endpoints, lanes and weights.
 *
 * Weights are compared in hundredths of a percent as whole numbers, because 33.33 + 33.33 + 33.34 is not 100 in binary.
 * Each check runs only on parts that have their shape, and goes on after a fault, so that one run reports them all.
 */
import type { EndpointConfig, Lane, ServiceConfig, VersionConfig } from '../../model/config.ts';
import { parseEndpointUrl } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import { nearestName } from './nearest-name.ts';
import type { RawEndpoint, RawService } from './raw-config.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { PLAIN_DEFAULTS, POOL, SERVICE_TIMEOUTS } from './settings.ts';

const LANES = ['stable', 'canary', 'candidate'] as const satisfies readonly Lane[];

/** Headers that the proxy takes off or that mean something to it; a client could not choose a version with them. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function resolveService(name: string, raw: RawService, review: Review): ServiceConfig {
  const path: ConfigPath = ['services', name];
  const versions = resolveVersions(raw.versions, [...path, 'versions'], review);
  const names = versions.map((version) => version.name);
  const lanes = resolveLanes(raw, names, path, review);
  const weights = resolveWeights(raw, names, lanes, path, review);
  const override = resolveOverride(raw, [...path, 'override'], review);
  return {
    name,
    versions,
    lanes,
    weights,
    ...(override === undefined ? {} : { override }),
    timeouts: resolveSettings(SERVICE_TIMEOUTS, raw.timeouts, [...path, 'timeouts'], review),
    pool: resolveSettings(POOL, raw.pool, [...path, 'pool'], review),
    exposeVersion: raw.exposeVersion ?? PLAIN_DEFAULTS.exposeVersion,
  };
}

function resolveVersions(raw: RawService['versions'], path: ConfigPath, review: Review): VersionConfig[] {
  if (typeof raw !== 'object' || raw === null) return [];
  return Object.entries(raw).map(([name, version]) => {
    if ((LANES as readonly string[]).includes(name)) {
      review.reportKey([...path, name], `${name} is the name of a lane; give the version another name, such as v1`);
    }
    const endpointsPath = [...path, name, 'endpoints'];
    const sound = review.sound([...path, name]);
    return { name, endpoints: sound ? resolveEndpoints(version.endpoints, endpointsPath, review) : [] };
  });
}

function resolveEndpoints(raw: readonly RawEndpoint[], path: ConfigPath, review: Review): EndpointConfig[] {
  const seen = new Set<string>();
  return raw.map((endpoint, index) => {
    const written = typeof endpoint === 'string' ? endpoint : endpoint.url;
    const urlPath = typeof endpoint === 'string' ? [...path, index] : [...path, index, 'url'];
    const parsed = parseEndpointUrl(written);
    const url = 'ok' in parsed ? parsed.ok : written;
    if ('fault' in parsed) review.report(urlPath, parsed.fault);
    else if (seen.has(url))
      review.report(urlPath, `${url} is there twice; remove one, or give one entry a higher weight`);
    seen.add(url);
    const weight = typeof endpoint === 'string' ? undefined : endpoint.weight;
    return { url, weight: weight ?? PLAIN_DEFAULTS.endpointWeight };
  });
}

function resolveLanes(
  raw: RawService,
  names: readonly string[],
  path: ConfigPath,
  review: Review,
): ServiceConfig['lanes'] {
  const lanesPath = [...path, 'lanes'];
  if (raw.lanes === undefined) {
    if (names.length > 1) {
      const message = `lanes is missing; with several versions say which is stable, such as lanes: {stable: ${names[0]}}`;
      review.report(path, message);
    }
    return { stable: names[0] ?? '' };
  }
  if (!review.sound(lanesPath)) return { stable: '' };
  const lanes: Partial<Record<Lane, string>> = {};
  for (const lane of LANES) {
    const version = raw.lanes[lane];
    if (version === undefined) continue;
    const other = LANES.find((taken) => lanes[taken] === version);
    if (names.length > 0 && !names.includes(version))
      review.report([...lanesPath, lane], unknownVersion(version, names));
    else if (other !== undefined) {
      review.report([...lanesPath, lane], `${version} is in the ${other} lane already; a version has one lane`);
    }
    lanes[lane] = version;
  }
  return { ...lanes, stable: lanes.stable ?? '' };
}

function resolveWeights(
  raw: RawService,
  names: readonly string[],
  lanes: ServiceConfig['lanes'],
  path: ConfigPath,
  review: Review,
): Record<string, number> {
  const weightsPath = [...path, 'split', 'weights'];
  const written = review.sound(weightsPath) ? raw.split?.weights : undefined;
  if (written === undefined) return Object.fromEntries(names.map((name) => [name, name === lanes.stable ? 100 : 0]));

  let sum = 0;
  for (const [name, weight] of Object.entries(written)) {
    const hundredths = Math.round(weight * 100);
    sum += hundredths;
    if (names.length > 0 && !names.includes(name))
      review.reportKey([...weightsPath, name], unknownWeight(name, names, lanes));
    else if (name === lanes.candidate && weight > 0) {
      const message = `${name} is in the candidate lane, which gets no weight; set 0, or make it the canary`;
      review.report([...weightsPath, name], message);
    }
    if (Math.abs(weight * 100 - hundredths) > 1e-6) {
      review.report([...weightsPath, name], `${weight} is finer than 0.01; write ${hundredths / 100}`);
    }
  }
  if (sum !== 10_000) {
    const [verb, gap] = sum < 10_000 ? ['raise', 10_000 - sum] : ['lower', sum - 10_000];
    review.report(weightsPath, `weights sum to ${sum / 100}, must be 100; ${verb} one by ${gap / 100}`);
  }
  return Object.fromEntries(names.map((name) => [name, Object.hasOwn(written, name) ? written[name]! : 0]));
}

function resolveOverride(raw: RawService, path: ConfigPath, review: Review): ServiceConfig['override'] {
  if (raw.override === undefined || !review.sound(path)) return undefined;
  const { header } = raw.override;
  if (RESERVED_HEADERS.has(header.toLowerCase())) {
    review.report(
      [...path, 'header'],
      `${header} has a meaning of its own in HTTP; use another, such as X-Canary-Deploy`,
    );
  }
  return { header };
}

function unknownWeight(name: string, names: readonly string[], lanes: ServiceConfig['lanes']): string {
  const lane = LANES.find((known) => known === name);
  const version = lane === undefined ? undefined : lanes[lane];
  if (version !== undefined) return `weights are per version, and ${name} is a lane; write ${version}`;
  return unknownVersion(name, names);
}

function unknownVersion(name: string, names: readonly string[]): string {
  const guess = nearestName(name, names);
  return `no version ${name} in this service; ${guess === null ? `there are: ${names.join(', ')}` : `did you mean ${guess}?`}`;
}

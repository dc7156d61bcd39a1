/**
 * The versions of a service: their endpoints, and which of them is in which lane.
 *
 * Names of versions and of lanes must not meet, since an override header may say either. Where the versions have not their shape,
 * their names count as unknown and nothing is said about references to them: that would be faults that nobody made.
 */
import {
  type EndpointConfig,
  isLane,
  LANES,
  type Lane,
  type ServiceConfig,
  type VersionConfig,
} from '../../model/config.ts';
import { parseEndpointUrl } from './addresses.ts';
import type { ConfigPath, Message } from './faults.ts';
import { nameHint } from './nearest-name.ts';
import type { RawEndpoint, RawService } from './raw-config.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { ENDPOINT } from './settings.ts';

/** What the rest of a service's checks know of its versions; `names` is empty where they have not their shape. */
export interface VersionNames {
  readonly names: readonly string[];
  readonly lanes: ServiceConfig['lanes'];
}

export function resolveVersions(raw: RawService['versions'], path: ConfigPath, review: Review): VersionConfig[] {
  if (typeof raw !== 'object' || raw === null) return [];
  return Object.entries(raw).map(([name, version]) => {
    if (isLane(name)) {
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
    const place = [...path, index];
    const { url: written, ...numbers } = typeof endpoint === 'string' ? { url: endpoint } : endpoint;
    const urlPath = typeof endpoint === 'string' ? place : [...place, 'url'];
    const parsed = parseEndpointUrl(written);
    const url = 'ok' in parsed ? parsed.ok : written;
    if ('fault' in parsed) review.report(urlPath, parsed.fault);
    else if (seen.has(url))
      review.report(urlPath, `${url} is there twice; remove one, or give one entry a higher weight`);
    seen.add(url);
    return { url, ...resolveSettings(ENDPOINT, numbers, place, review) };
  });
}

export function resolveLanes(
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
    if (names.length > 0 && !names.includes(version)) {
      review.report([...lanesPath, lane], unknownVersion(version, names));
    } else if (other !== undefined) {
      review.report([...lanesPath, lane], `${version} is in the ${other} lane already; a version has one lane`);
    }
    lanes[lane] = version;
  }
  return { ...lanes, stable: lanes.stable ?? '' };
}

/** What is wrong with `name` where a version is wanted; null where nothing is. */
export function versionFault(name: string, { names, lanes }: VersionNames): Message | null {
  if (names.length === 0 || names.includes(name)) return null;
  const lane = LANES.find((known) => known === name);
  const version = lane === undefined ? undefined : lanes[lane];
  return version === undefined
    ? unknownVersion(name, names)
    : `must be a version, and ${name} is a lane; write ${version}`;
}

function unknownVersion(name: string, names: readonly string[]): Message {
  return () => `no version ${name} in this service; ${nameHint(name, names)}`;
}

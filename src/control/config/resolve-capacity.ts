/**
 * Refuses what the tables of the data plane have no room for (model/capacity.ts), so that a worker never meets it.
 *
 * Every header name that something reads or changes is counted, those that Sluice numbers anyway included: a bound that is easy to
 * tell beats one that admits a few more.
 */

import type { FlagConfig } from '../../model/admin-config.ts';
import { MAX_ENDPOINTS, MAX_READ_HEADERS, MAX_VERSIONS } from '../../model/capacity.ts';
import type { ServiceConfig, SluiceConfig } from '../../model/config.ts';
import type { KeySource } from '../../model/policy-config.ts';
import type { HeaderEdits, RouteConfig } from '../../model/route-config.ts';
import type { Review } from './review.ts';

export function checkCapacity({ services, routes, flags }: SluiceConfig, review: Review): void {
  const versions = services.flatMap((service) => service.versions);
  refuse('versions', versions.length, MAX_VERSIONS, review);
  const endpoints = versions.reduce((sum, version) => sum + version.endpoints.length, 0);
  refuse('endpoints', endpoints, MAX_ENDPOINTS, review);
  const headers = new Set([
    ...services.flatMap(serviceHeaders),
    ...routes.flatMap(routeHeaders),
    ...flags.flatMap(flagHeaders),
  ]);
  if (headers.size > MAX_READ_HEADERS) {
    const message = `read or change ${headers.size} different headers with routes and flags, more than ${MAX_READ_HEADERS}; share some`;
    review.report(['services'], message);
  }
}

function refuse(what: string, count: number, most: number, review: Review): void {
  if (count <= most) return;
  review.report(['services'], `have ${count} ${what} together, more than ${most}; run a second Sluice for some`);
}

/** Lower-case names of the headers that a service reads. */
export function serviceHeaders(service: ServiceConfig): string[] {
  const keys = [
    service.split.key,
    service.affinity?.key,
    service.balance.key,
    service.rateLimit?.key,
    ...service.experiments.map((experiment) => experiment.key),
  ];
  return lowerCase([service.override?.header, service.split.header?.name, ...keys.map(keyHeader)]);
}

/** The same of what a route reads or changes. */
export function routeHeaders(route: RouteConfig): string[] {
  return lowerCase([
    ...route.match.headers.map((header) => header.name),
    ...editedHeaders(route.requestHeaders),
    ...editedHeaders(route.responseHeaders),
    keyHeader(route.rateLimit?.key),
    route.fault?.header,
  ]);
}

function flagHeaders({ key, header }: FlagConfig): string[] {
  return lowerCase([keyHeader(key), header]);
}

function editedHeaders({ set, add, remove }: HeaderEdits): string[] {
  return [...set, ...add].map(([name]) => name).concat(remove);
}

/** The header that a key is read from; a cookie and an address come in fields that every request is searched for. */
export function keyHeader(key: KeySource | undefined): string | undefined {
  return key?.from === 'header' ? key.name : undefined;
}

function lowerCase(names: readonly (string | undefined)[]): string[] {
  return names.flatMap((name) => name?.toLowerCase() ?? []);
}

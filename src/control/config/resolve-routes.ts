/**
 * Routes: each says exactly one thing to do, names what exists, and no two match the same requests.
 *
 * A part that has not its shape is left out, and the rest of the route is checked all the same. Two routes that overlap are no fault, since
 * the order of precedence tells them apart; two that are equal in all that it looks at are, because the second would never be asked.
 */
import { isLane, LANES, type ServiceConfig } from '../../model/config.ts';
import type { FaultConfig } from '../../model/policy-config.ts';
import type { RouteConfig } from '../../model/route-config.ts';
import type { ConfigPath } from './faults.ts';
import { checkHeaderName } from './header-names.ts';
import { nameHint } from './nearest-name.ts';
import type { RawFault, RawRoute } from './raw-route.ts';
import { resolveRateLimit } from './resolve-rate-limit.ts';
import { resolveRedirect, resolveReply, resolveRewrite } from './resolve-route-answer.ts';
import { type Direction, NO_EDITS, resolveHeaderEdits } from './resolve-route-headers.ts';
import { EVERY_REQUEST, matchIdentity, resolveMatch } from './resolve-route-match.ts';
import { resolveSetting } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { FAULT, routeSchema } from './schema-route.ts';

const ACTIONS = ['service', 'redirect', 'reply'] as const;
/** What would have no effect where no service is asked. */
const FOR_SERVICES = ['version', 'rewrite', 'requestHeaders'] as const;

/** @param flags names of the flags, null where they cannot be told. */
export function resolveRoutes(
  raw: readonly RawRoute[],
  services: readonly ServiceConfig[],
  flags: readonly string[] | null,
  review: Review,
): readonly RouteConfig[] {
  if (raw.length === 0 && services.length > 1) {
    review.report([], 'routes is missing; with several services say which requests go to which');
  }
  const matches = new Map<string, number>();
  const names = new Map<string, number>();
  return raw.flatMap((written, index) => {
    // Its shape has been reported.
    if (typeof written !== 'object' || written === null || Array.isArray(written)) return [];
    const path = ['routes', index];
    const route = resolveRoute(written, index, services, flags, review);
    if (review.sound([...path, 'match'])) {
      const identity = matchIdentity(route.match);
      const earlier = matches.get(identity);
      if (earlier === undefined) matches.set(identity, index);
      else review.report(path, `matches the same requests as routes[${earlier}]; remove one of the two`);
    }
    const namesake = names.get(route.name);
    if (namesake === undefined) names.set(route.name, index);
    else review.report([...path, 'name'], `routes[${namesake}] is called ${route.name} already; choose another name`);
    return route;
  });
}

function resolveRoute(
  raw: RawRoute,
  index: number,
  services: readonly ServiceConfig[],
  flags: readonly string[] | null,
  review: Review,
): RouteConfig {
  const path = ['routes', index];
  const isUsable = (key: keyof RawRoute): boolean => raw[key] !== undefined && review.sound([...path, key]);
  const part = <Key extends keyof RawRoute, Part>(
    key: Key,
    resolve: (value: NonNullable<RawRoute[Key]>, path: ConfigPath) => Part,
  ): { readonly [K in Key]?: Part } =>
    isUsable(key) ? ({ [key]: resolve(raw[key]!, [...path, key]) } as { [K in Key]: Part }) : {};
  const edits = (key: 'requestHeaders' | 'responseHeaders', direction: Direction): RouteConfig['requestHeaders'] =>
    isUsable(key) ? resolveHeaderEdits(raw[key], direction, [...path, key], review) : NO_EDITS;

  checkAction(raw, path, review);
  const match = isUsable('match') ? resolveMatch(raw.match!, flags, [...path, 'match'], review) : EVERY_REQUEST;
  const rateLimit = resolveRateLimit(raw.rateLimit, [...path, 'rateLimit'], review);
  return {
    name: isUsable('name') ? raw.name! : `routes[${index}]`,
    match,
    ...part('service', (name, at) => resolveServiceName(name, services, at, review)),
    ...part('version', (name, at) => resolveVersion(name, raw.service, services, at, review)),
    ...part('redirect', (value, at) => resolveRedirect(value, match, at, review)),
    ...part('reply', (value, at) => resolveReply(value, at, review)),
    ...part('rewrite', (value, at) => resolveRewrite(value, match, at, review)),
    requestHeaders: edits('requestHeaders', 'request'),
    responseHeaders: edits('responseHeaders', 'response'),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...part('fault', (value, at) => resolveFault(value, at, review)),
  };
}

function checkAction(raw: RawRoute, path: ConfigPath, review: Review): void {
  const written = ACTIONS.filter((key) => raw[key] !== undefined);
  // An unknown key has been reported already, and is most likely what the missing one was meant to be.
  const known = Object.keys(raw).every((key) => Object.hasOwn(routeSchema.properties!, key));
  if (written.length > 1 || (written.length === 0 && known)) {
    const found = written.length === 0 ? 'none' : written.join(' and ');
    review.report(path, `must have exactly one of service, redirect and reply, not ${found}`);
  }
  const action = written[0];
  if (written.length !== 1 || action === undefined || action === 'service') return;
  for (const key of FOR_SERVICES) {
    if (raw[key] === undefined) continue;
    review.reportKey([...path, key], noEffect(action));
  }
  if (review.sound([...path, 'fault']) && raw.fault?.delay !== undefined) {
    review.reportKey([...path, 'fault', 'delay'], noEffect(action));
  }
}

const noEffect = (action: string): string => `has no effect with ${action}, which asks no service; remove it`;

function resolveServiceName(
  name: string,
  services: readonly ServiceConfig[],
  path: ConfigPath,
  review: Review,
): string {
  const names = services.map((service) => service.name);
  if (names.length > 0 && !names.includes(name)) {
    review.report(path, () => `no service ${name}; ${nameHint(name, names)}`);
  }
  return name;
}

/** A lane may be named that no version is in yet: rollouts put versions there. */
function resolveVersion(
  name: string,
  serviceName: string | undefined,
  services: readonly ServiceConfig[],
  path: ConfigPath,
  review: Review,
): string {
  const service = services.find((candidate) => candidate.name === serviceName);
  const versions = service?.versions.map((version) => version.name) ?? [];
  if (versions.length > 0 && !versions.includes(name) && !isLane(name)) {
    review.report(path, () => `no version ${name} in ${serviceName}; ${nameHint(name, [...versions, ...LANES])}`);
  }
  return name;
}

function resolveFault(raw: RawFault, path: ConfigPath, review: Review): FaultConfig {
  const { header, delay, abort } = raw;
  const percent = (written: string | number | undefined, at: ConfigPath): number =>
    resolveSetting(FAULT.percent, written, [...at, 'percent'], review);
  if (delay === undefined && abort === undefined && Object.keys(raw).every((key) => key === 'header')) {
    review.report(path, 'must have delay, abort or both');
  }
  const [delayPath, abortPath] = [
    [...path, 'delay'],
    [...path, 'abort'],
  ];
  const by = delay === undefined ? 0 : resolveSetting(FAULT.by, delay.by, [...delayPath, 'by'], review);
  return {
    ...(header === undefined ? {} : { header: checkHeaderName(header, [...path, 'header'], review) }),
    ...(delay === undefined ? {} : { delay: { by, percent: percent(delay.percent, delayPath) } }),
    ...(abort === undefined ? {} : { abort: { status: abort.status, percent: percent(abort.percent, abortPath) } }),
  };
}

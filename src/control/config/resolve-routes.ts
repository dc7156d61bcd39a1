/** Routes: the services they name exist, their hosts and prefixes can match, and no two match the same requests. */
import type { RouteConfig } from '../../model/config.ts';
import { parseRouteHost } from './addresses.ts';
import { nearestName } from './nearest-name.ts';
import type { RawRoute } from './raw-config.ts';
import type { Review } from './review.ts';
import { PLAIN_DEFAULTS } from './settings.ts';
import { shown } from './structure.ts';

export function resolveRoutes(
  raw: readonly RawRoute[],
  services: readonly string[],
  review: Review,
): readonly RouteConfig[] {
  if (raw.length === 0 && services.length > 1) {
    review.report([], 'routes is missing; with several services say which requests go to which');
  }
  const seen = new Map<string, number>();
  return raw.map((route, index) => {
    const path = ['routes', index];
    if (!review.sound(path)) return { match: { pathPrefix: PLAIN_DEFAULTS.pathPrefix }, service: '' };
    if (services.length > 0 && !services.includes(route.service)) {
      const guess = nearestName(route.service, services);
      const hint = guess === null ? `there are: ${services.join(', ')}` : `did you mean ${guess}?`;
      review.report([...path, 'service'], `no service ${route.service}; ${hint}`);
    }
    const match = resolveMatch(route, path, review);
    const requests = `${match.host ?? ''} ${match.pathPrefix}`;
    const earlier = seen.get(requests);
    if (earlier !== undefined) {
      review.report(path, `matches the same requests as routes[${earlier}]; remove one of the two`);
    } else {
      seen.set(requests, index);
    }
    return { match, service: route.service };
  });
}

function resolveMatch(route: RawRoute, path: readonly (string | number)[], review: Review): RouteConfig['match'] {
  const { host: writtenHost, pathPrefix = PLAIN_DEFAULTS.pathPrefix } = route.match ?? {};
  if (!pathPrefix.startsWith('/')) {
    review.report([...path, 'match', 'pathPrefix'], `must begin with "/"; write ${shown(`/${pathPrefix}`)}`);
  } else if (/[^\x21-\x7e]|[?#]/.test(pathPrefix)) {
    const message = 'must be a path as it is sent: no query, fragment, spaces or unescaped characters';
    review.report([...path, 'match', 'pathPrefix'], message);
  }
  if (writtenHost === undefined) return { pathPrefix };
  const host = parseRouteHost(writtenHost);
  if ('ok' in host) return { host: host.ok, pathPrefix };
  review.report([...path, 'match', 'host'], host.fault);
  return { host: writtenHost, pathPrefix };
}

/**
 * Where tasks find the version of a rollout: its endpoints, and the way to it through Sluice itself.
 *
 * A smoke test that goes the way of users also tests routes and rewriting, so it goes through the proxy wherever the service has an override
 * header and some route leads to it. The plainest route is taken: the one with the fewest demands on a request. Where there is none, tests
 * go to the endpoints directly.
 */
import type { SluiceConfig } from '../../model/config.ts';
import { DISABLED, DRAINING, EJECTED, UNHEALTHY } from '../../model/endpoint-table.ts';
import type { RouteConfig } from '../../model/route-config.ts';
import type { Rollout } from './rollout.ts';
import type { ProxyAddress, TaskTarget } from './tasks/task.ts';

export interface RouteToVersion {
  readonly config: SluiceConfig;
  /** `http://127.0.0.1:8080`, or null while nothing listens. */
  readonly proxy: string | null;
  /** Of the version, with their flags in the endpoint table, and whether a check of them has had no result yet. */
  readonly endpoints: () => readonly { readonly url: string; readonly flags: number; readonly unchecked: boolean }[];
}

export function taskTarget(rollout: Rollout, { config, proxy, endpoints }: RouteToVersion): TaskTarget {
  const { id, service, version, stable, strategy, step, weight, phase } = rollout;
  return {
    ...{ rollout: id, service, version, stable, weight, phase },
    strategy: strategy.name,
    step: strategy.steps[step]?.name ?? '',
    endpoints: endpoints().map(({ url }) => url),
    healthy: () =>
      endpoints().map(({ url, flags, unchecked }) => ({
        url,
        available: flags === 0 && !unchecked,
        why: flags === 0 && unchecked ? 'not checked yet' : whyNot(flags),
      })),
    proxy: proxy === null ? null : proxyAddress(config, service, proxy),
  };
}

function whyNot(flags: number): string {
  const reasons: readonly (readonly [number, string])[] = [
    [UNHEALTHY, 'unhealthy'],
    [EJECTED, 'ejected'],
    [DRAINING, 'draining'],
    [DISABLED, 'disabled'],
  ];
  return reasons
    .filter(([flag]) => (flags & flag) !== 0)
    .map(([, word]) => word)
    .join(', ');
}

function proxyAddress({ services, routes }: SluiceConfig, service: string, url: string): ProxyAddress | null {
  const header = services.find(({ name }) => name === service)?.override?.header;
  if (header === undefined) return null;
  if (routes.length === 0) return { url, host: null, header };
  const plain = routes.filter((route) => route.service === service).toSorted((a, b) => demands(a) - demands(b))[0];
  if (plain === undefined || demands(plain) > 0) return null;
  const { host } = plain.match;
  return { url, host: host === undefined ? null : host.replace(/^\*\./, 'smoke-test.'), header };
}

/** Things that a plain GET does not bring along. */
const demands = ({ match, version }: RouteConfig): number =>
  (match.methods.length === 0 || match.methods.includes('GET') ? 0 : 1) +
  match.headers.length +
  match.query.length +
  match.flags.length +
  (version === undefined ? 0 : 1);

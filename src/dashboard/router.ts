/**
 * Which view the address names: everything is behind the `#`, so the server has one page and a link works wherever Sluice is mounted.
 */
import { createStore } from './state/store.ts';

export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'service'; readonly service: string }
  | { readonly view: 'rollouts' }
  | { readonly view: 'rollout'; readonly id: string }
  | { readonly view: 'report'; readonly id: string }
  | { readonly view: 'events' }
  | { readonly view: 'audit' }
  | { readonly view: 'unknown'; readonly path: string };

export function routeOf(hash: string): Route {
  const parts = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  const [first, second, third] = parts;
  if (first === undefined) return { view: 'overview' };
  if (parts.length === 1 && (first === 'rollouts' || first === 'events' || first === 'audit')) return { view: first };
  if (first === 'services' && second !== undefined && parts.length === 2) return { view: 'service', service: second };
  if (first === 'rollouts' && second !== undefined) {
    if (parts.length === 2) return { view: 'rollout', id: second };
    if (parts.length === 3 && third === 'report') return { view: 'report', id: second };
  }
  return { view: 'unknown', path: hash };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const linkTo = {
  overview: () => '#/',
  service: (name: string) => `#/services/${encodeURIComponent(name)}`,
  rollouts: () => '#/rollouts',
  rollout: (id: string) => `#/rollouts/${encodeURIComponent(id)}`,
  report: (id: string) => `#/rollouts/${encodeURIComponent(id)}/report`,
  events: () => '#/events',
  audit: () => '#/audit',
};

export const route = createStore<Route>({ view: 'overview' });

export function followAddress(): void {
  const read = (): void => route.set(routeOf(location.hash));
  addEventListener('hashchange', read);
  read();
}

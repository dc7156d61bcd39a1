/**
 * The configurations that a storm goes through: the same file over and over, each time with something else changed.
 *
 * `shop` belongs to the API, which changes its weights all the while. `side` belongs to the file: its weights and timeouts change, and a version
 * v3 comes with a share of the traffic and goes while requests are under way to it. A service `guest` with its route comes and goes, and a
 * route that nobody asks for. No two configurations in a row mean the same, so every reload is one. Nothing repeats or shields a failed
 * request: what the proxy loses, the client sees.
 */
export type UpstreamName = 'v1' | 'v2' | 'side-v1' | 'side-v2' | 'side-v3' | 'guest';

export const UPSTREAMS: readonly UpstreamName[] = ['v1', 'v2', 'side-v1', 'side-v2', 'side-v3', 'guest'];
/** Those that are in every configuration, whose pools therefore last. */
export const LASTING_UPSTREAMS: readonly UpstreamName[] = ['v1', 'v2', 'side-v1', 'side-v2'];

export interface Whereabouts {
  readonly adminPort: number;
  readonly urlOf: (name: UpstreamName) => string;
}

const LANES = { stable: 'v1', canary: 'v2' };

/** What of `guest` and `side`'s v3 is there; for tests that want to choose. */
export interface Presence {
  readonly v3: boolean;
  readonly guest: boolean;
  readonly spare: boolean;
}

const presenceAt = (step: number): Presence => ({
  v3: step % 4 >= 2,
  guest: step % 5 >= 3,
  spare: step % 3 === 1,
});

/** @param step 0 is what the process starts with. */
export function stormConfig(step: number, { adminPort, urlOf }: Whereabouts, presence = presenceAt(step)): string {
  const version = (name: UpstreamName): object => ({ endpoints: [urlOf(name)] });
  const newShare = presence.v3 ? 20 : 0;
  const share = (step * 7) % (101 - newShare);
  const side = {
    versions: {
      v1: version('side-v1'),
      v2: version('side-v2'),
      ...(presence.v3 ? { v3: version('side-v3') } : {}),
    },
    lanes: LANES,
    split: { weights: { v1: 100 - newShare - share, v2: share, ...(presence.v3 ? { v3: newShare } : {}) } },
    health: { path: '/health', interval: '1s' },
    timeouts: { request: `${30 + (step % 7)}s` },
  };
  const shop = {
    versions: { v1: version('v1'), v2: version('v2') },
    lanes: LANES,
    split: { weights: { v1: 90, v2: 10 } },
    override: { header: 'X-Canary-Deploy' },
  };
  const guest = { versions: { v1: version('guest') }, timeouts: { request: '60s' } };
  const spare = [{ match: { pathPrefix: `/spare-${step}` }, service: 'shop' }];
  return JSON.stringify(
    {
      listen: '127.0.0.1:0',
      workers: 2,
      admin: { listen: `127.0.0.1:${adminPort}` },
      services: { shop, side, ...(presence.guest ? { guest } : {}) },
      routes: [
        ...(presence.spare ? spare : []),
        ...(presence.guest ? [{ match: { pathPrefix: '/guest' }, service: 'guest' }] : []),
        { match: { pathPrefix: '/side' }, service: 'side' },
        { match: { pathPrefix: '/shop' }, service: 'shop' },
      ],
    },
    null,
    2,
  );
}

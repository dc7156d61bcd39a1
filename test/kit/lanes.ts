/**
 * A proxy in front of a service with lanes, which must have nothing in flight when its test ends.
 *
 * Every request without an override goes to the canary where there is one, so that a test need not find out which version it got.
 */
import type { Test } from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { inFlight } from './counts.ts';
import { LoadedDice } from './fake-time.ts';
import { type ProxyOptions, startProxy, type TestProxy } from './proxy.ts';
import { type Behaviour, RawUpstream } from './raw-upstream.ts';
import { until } from './signal.ts';

/** An endpoint that refuses connections: nothing listens on a port that only root could bind. */
export const REFUSED = 'http://127.0.0.1:1';

/** Whoever is in flight must come to an end without time going on. */
export async function nothingInFlight(proxy: TestProxy): Promise<void> {
  const leak = () => JSON.stringify(inFlight(proxy));
  await until('nothing to be in flight', () => leak() === '{}').catch((error: Error) => {
    throw new Error(`${error.message}: ${leak()}`);
  });
}

export async function startChecked(t: Test, options: ProxyOptions): Promise<TestProxy> {
  const proxy = await startProxy(t, options);
  t.teardown(() => nothingInFlight(proxy));
  return proxy;
}

export interface Lanes {
  readonly proxy: TestProxy;
  readonly clock: FakeClock;
  readonly dice: LoadedDice;
  /** Upstreams of the stable version, `v1`. */
  readonly stable: readonly RawUpstream[];
  /** Upstreams of the canary, `v2`. */
  readonly canary: readonly RawUpstream[];
}

export interface LaneOptions {
  /** An upstream for each script, or an address that there is already. */
  readonly stable?: readonly (Behaviour | string)[];
  /** Left out, there is no canary. */
  readonly canary?: readonly (Behaviour | string)[];
  readonly service?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Added to each endpoint. */
  readonly endpoint?: Readonly<Record<string, unknown>>;
  readonly plane?: ProxyOptions['plane'];
  /** How the dice fall. Default 0, which is the first endpoint of all and no pause. */
  readonly dice?: number;
}

export async function startLanes(t: Test, options: LaneOptions): Promise<Lanes> {
  const clock = new FakeClock();
  clock.advance(1000);
  const dice = new LoadedDice(options.dice ?? 0);
  const open = async (scripts: readonly (Behaviour | string)[]) => {
    const upstreams: RawUpstream[] = [];
    const endpoints: unknown[] = [];
    for (const script of scripts) {
      let url = script;
      if (typeof script !== 'string') {
        const upstream = await RawUpstream.start(t, script);
        upstreams.push(upstream);
        url = upstream.url;
      }
      endpoints.push({ url, ...options.endpoint });
    }
    return { upstreams, version: { endpoints } };
  };
  const stable = await open(options.stable ?? []);
  const canary = await open(options.canary ?? []);
  const both = {
    versions: { v1: stable.version, v2: canary.version },
    lanes: { stable: 'v1', canary: 'v2' },
    split: { weights: { v1: 0, v2: 100 } },
    override: { header: 'X-Lane' },
  };
  const service = {
    balance: 'round_robin',
    exposeVersion: true,
    ...(options.canary ? both : { versions: { v1: stable.version } }),
    ...options.service,
  };
  const config = options.config ?? {};
  const plane = options.plane ?? {};
  const proxy = await startChecked(t, { upstream: [], service, config, clock, random: dice, plane });
  return { proxy, clock, dice, stable: stable.upstreams, canary: canary.upstreams };
}

/** Sets the stage for the router's fuzz, and looks at what is left when everybody has gone: nothing may be. */

import { MAX_ENDPOINTS, MAX_VERSIONS } from '../../src/model/capacity.ts';
import { ENDPOINT_SLOTS, endpointSlot, VERSION_SLOTS, versionSlot } from '../../src/model/counters.ts';
import { DataPlane } from '../../src/proxy/data-plane.ts';
import { openSockets } from '../kit/open-sockets.ts';
import type { TestProxy } from '../kit/proxy.ts';
import { RawClient } from '../kit/raw-client.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { turns, until } from '../kit/signal.ts';
import { Dice } from './dice.ts';
import { RouterFuzz } from './router.ts';
import { RouterUpstreams } from './router-upstream.ts';

/** Nothing listens on a port that only root could bind. */
const REFUSED = 'http://127.0.0.1:1';

async function openPlane(plane: DataPlane): Promise<TestProxy> {
  const { port } = await plane.listen({ host: '127.0.0.1', port: 0 }, false);
  const connect = () => RawClient.open(port);
  const send = async (text: string) => {
    const client = await connect();
    client.write(text);
    return client;
  };
  return { port, plane, connect, send, close: () => plane.close() };
}

/** Every gauge that is not zero, of versions and endpoints that are long gone too. */
function leftOver({ plane }: TestProxy): string {
  const found: Record<string, number> = {};
  const note = (name: string, count: number): void => {
    if (count !== 0) found[name] = count;
  };
  for (const [name, count] of Object.entries(plane.stats())) note(name, count);
  const { counters, endpoints } = plane.memory.own;
  for (let id = 0; id < MAX_VERSIONS; id++) {
    for (const gauge of ['active', 'retrying', 'pending'] as const) {
      note(`version ${id} ${gauge}`, counters[versionSlot(id) + VERSION_SLOTS[gauge]]!);
    }
  }
  for (let id = 0; id < MAX_ENDPOINTS; id++) {
    note(`endpoint ${id} active`, endpoints[endpointSlot(id) + ENDPOINT_SLOTS.active]!);
  }
  return JSON.stringify(found);
}

export interface RouterRun {
  readonly clients: ReadonlyMap<string, number>;
  readonly actions: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/**
 * `count` clients, `width` at a time, and then a drain while more are at it.
 *
 * @param each plays a number of iterations side by side.
 */
export async function runRouter(
  seed: number,
  count: number,
  each: (count: number, width: number, play: (iteration: number) => Promise<void>) => Promise<void>,
): Promise<RouterRun> {
  const failures: string[] = [];
  const upstreams = new RouterUpstreams(seed);
  const opened = await Promise.all(Array.from({ length: 5 }, () => RawUpstream.open(upstreams.behaviour)));
  const urls = opened.map(({ url }) => url);
  const fuzz = new RouterFuzz(seed, { stable: urls.slice(0, 3), canary: [...urls.slice(3), REFUSED] }, upstreams);
  const proxy = await openPlane(new DataPlane({ snapshot: fuzz.next(new Dice(seed, -1)) }));
  const nothing = (what: string, left: () => string) =>
    until(what, () => left() === '{}', 10_000).catch(() => {
      failures.push(`router: ${what}, but ${left()} is left`);
    });
  await each(count, 40, async (iteration) => {
    await fuzz.play(proxy, iteration);
    if (iteration % 500 === 0) for (const upstream of opened) upstream.forget();
  });
  fuzz.heal(proxy);
  await nothing('all gauges to be zero', () => leftOver(proxy));
  const last = each(40, 40, (iteration) => fuzz.play(proxy, count + iteration));
  await turns(10);
  await proxy.plane.drain(2_000);
  await last;
  await nothing('all gauges to be zero behind a drain', () => leftOver(proxy));
  for (const upstream of opened) await upstream.close();
  await nothing('every socket to be closed', () => (openSockets() === 0 ? '{}' : `${openSockets()} sockets`));
  failures.push(...fuzz.faults, ...upstreams.faults);
  return { clients: fuzz.outcomes, actions: upstreams.actions, failures };
}

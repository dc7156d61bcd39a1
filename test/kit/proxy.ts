/**
 * A data plane in this thread, in front of the given upstreams.
 *
 * Configuration is written as plain objects and goes through the real loader as JSON, which is YAML, so a test cannot use a setting that a
 * user could not write. `config` is merged over the top level, `service` over the only service.
 */
import type { Test } from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { DataPlane, type DataPlaneOptions } from '../../src/proxy/data-plane.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import { RawClient } from './raw-client.ts';
import type { RawUpstream } from './raw-upstream.ts';

export interface ProxyOptions {
  /** Endpoints of version `v1` of the service `web`. */
  readonly upstream: RawUpstream | readonly string[];
  readonly service?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Anything else that a worker would be given. */
  readonly plane?: Partial<DataPlaneOptions>;
}

export interface TestProxy {
  readonly port: number;
  readonly plane: DataPlane;
  connect(localAddress?: string): Promise<RawClient>;
  /** Connects, sends the request and gives the client back. */
  send(text: string): Promise<RawClient>;
  close(): void;
}

export function configText(options: ProxyOptions): string {
  const endpoints = 'url' in options.upstream ? [options.upstream.url] : options.upstream;
  const web = { versions: { v1: { endpoints } }, ...options.service };
  return JSON.stringify({ listen: '127.0.0.1:0', services: { web }, ...options.config }, null, 1);
}

export async function openProxy(options: ProxyOptions): Promise<TestProxy> {
  const snapshot = compileSnapshot(parseConfig(configText(options), 'test.yaml', {}), 1);
  const plane = new DataPlane({
    snapshot,
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.random ? { random: options.random } : {}),
    ...options.plane,
  });
  const { port } = await plane.listen({ host: '127.0.0.1', port: 0 }, false);
  const clients = new Set<RawClient>();
  const connect = async (localAddress?: string) => {
    const client = await RawClient.open(port, '127.0.0.1', localAddress);
    clients.add(client);
    client.socket.once('close', () => clients.delete(client));
    return client;
  };
  return {
    port,
    plane,
    connect,
    send: async (text) => {
      const client = await connect();
      client.write(text);
      return client;
    },
    close: () => {
      for (const client of clients) client.destroy();
      plane.close();
    },
  };
}

export async function startProxy(t: Test, options: ProxyOptions): Promise<TestProxy> {
  const proxy = await openProxy(options);
  t.teardown(() => proxy.close());
  return proxy;
}

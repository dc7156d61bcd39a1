/** Starting what a measurement needs: an upstream on the load's cores, a proxy on its own core, each with an empty directory. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Pinning } from './machine.ts';
import { type Child, type Launch, launch, untilListening } from './processes.ts';
import type { ProxySetup } from './proxies/proxy-setup.ts';
import type { UpstreamKind } from './scenarios.ts';
import { staticUpstream } from './upstream/static.ts';

export interface Arena {
  readonly directory: string;
  readonly pinning: Pinning;
}

export interface Server {
  readonly child: Child;
  readonly port: number;
}

/** A proxy that runs in front of an upstream. */
export interface Contestant extends Server {
  readonly proxy: ProxySetup;
}

const originScript = new URL('./upstream/origin.ts', import.meta.url).pathname;

export async function startUpstream(arena: Arena, kind: UpstreamKind): Promise<Server> {
  const port = await freePort();
  const directory = ownDirectory(arena, `upstream-${kind}`);
  const what: Launch =
    kind === 'static'
      ? staticUpstream(port, directory)
      : { command: process.execPath, args: [originScript, String(port)] };
  const child = launch(`the ${kind} upstream`, what, arena.pinning.loadCores, join(directory, 'output'));
  await untilListening(child, port);
  return { child, port };
}

export async function startProxy(arena: Arena, proxy: ProxySetup, upstreamPort: number): Promise<Contestant> {
  const port = await freePort();
  const directory = ownDirectory(arena, proxy.id);
  const cpus = arena.pinning.proxyCore === null ? null : String(arena.pinning.proxyCore);
  const what = proxy.launch({ port, upstreamPort, directory });
  const child = launch(proxy.title, what, cpus, join(directory, 'output'));
  await untilListening(child, port);
  return { proxy, child, port };
}

function ownDirectory(arena: Arena, name: string): string {
  mkdirSync(arena.directory, { recursive: true });
  return mkdtempSync(join(arena.directory, `${name}-`));
}

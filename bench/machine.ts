/**
 * Where a run happened: processor, cores, kernel, versions of the tools; and which core the measured process gets.
 *
 * The last allowed core is for the proxy under test and the others are for load and upstream: the first core usually serves the
 * devices' interrupts. With one core, or without taskset, nothing is pinned and the report says so. The host's name is left out on purpose.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, release, type as systemType, totalmem } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
}

export interface Pinning {
  /** The core of the measured process; null when nothing is pinned. */
  readonly proxyCore: number | null;
  /** A taskset list for everything else; null when nothing is pinned. */
  readonly loadCores: string | null;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemType()} ${release()}`,
  };
}

export function choosePinning(): Pinning {
  const cores = allowedCores();
  const proxyCore = cores.at(-1);
  if (proxyCore === undefined || cores.length < 2 || outputOf('taskset', ['--version']) === null) {
    return { proxyCore: null, loadCores: null };
  }
  return { proxyCore, loadCores: cores.slice(0, -1).join(',') };
}

/** What a command prints on both streams, whatever its exit code, or null when it is not installed. */
export function outputOf(command: string, args: readonly string[]): string | null {
  const { error, stdout, stderr } = spawnSync(command, [...args], { encoding: 'utf8', timeout: 10_000 });
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT' ? null : `${stdout}${stderr}`;
}

/**
 * A port below the range that the kernel gives to outgoing connections: a port found by binding 0 comes out of that range,
 * and could be taken again by one of the many connections of the run before the server binds it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    if (port > lastPort) throw new Error(`no free port between ${firstPort} and ${lastPort}`);
    if (await canListen(port)) return port;
  }
}

const firstPort = 20_000 + (process.pid % 80) * 100;
const lastPort = 32_000;
let nextPort = firstPort;

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

/** "0-2,5" of /proc/self/status as [0, 1, 2, 5]. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const cores: number[] = [];
  for (const range of list.split(',')) {
    const [first = NaN, last = first] = range.split('-').map(Number);
    for (let core = first; core <= last; core++) cores.push(core);
  }
  return cores;
}

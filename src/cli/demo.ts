/**
 * `sluice demo`: two small versions of a service, the proxy in front of them, and commands to paste.
 *
 * The versions live in a worker thread of their own so that they take no time from the main thread, on ports the kernel chooses.
 * The configuration is a text read by the same loader as a file: what the demo shows is what a file would do.
 */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { authority, parseListen } from '../control/config/addresses.ts';
import type { ListenConfig } from '../model/config.ts';
import { type Command, type Io, readOptions, UsageError } from './command.ts';
import { listenFailure } from './listen-probe.ts';

const HELP = `Run two demo versions and the proxy in front of them; prints commands to try.

Usage: sluice demo [--port N] [--admin-port N]
       sluice demo --upstreams
       sluice demo --upstream VERSION [--listen ADDRESS]

Options:
  --port N            the proxy's port on 127.0.0.1; default 8080, 0 for a free one
  --admin-port N      the admin API's; default 9901
  --upstreams         only the versions, on the ports that config/sluice.yaml names: v1 on 3001 and 3002, v2 on 3003
  --upstream VERSION  only this version, v1 or v2, as a container would run it
  --listen ADDRESS    where that version listens; default 127.0.0.1:3001
  -h, --help          this text

Examples:
  sluice demo
  sluice demo --port 9000 --admin-port 9902
  sluice demo --upstream v2 --listen 0.0.0.0:3000
`;

/** Ports of each version's endpoints: those that `demo-versions.ts` is to listen on, 0 for free ones, and those that it says it does. */
export interface DemoPorts {
  readonly v1: readonly number[];
  readonly v2: readonly number[];
}

/** What the worker thread is to do. */
export interface DemoOrder {
  readonly host: string;
  readonly ports: DemoPorts;
}

const LOOPBACK = '127.0.0.1';
const FREE: DemoPorts = { v1: [0], v2: [0] };
/** The endpoints of config/sluice.yaml. */
const AS_IN_EXAMPLE: DemoPorts = { v1: [3001, 3002], v2: [3003] };

/** Loaded when it is needed: what serves brings libraries along that help and checks have no use for. */
const serve = (): Promise<typeof import('./serve.ts')> => import('./serve.ts');

export const demoCommand: Command = {
  name: 'demo',
  summary: 'run two demo versions and the proxy in front of them',
  help: HELP,

  async run(args: readonly string[], io: Io): Promise<number> {
    const options = readOptions(args, {
      port: { type: 'string', default: '8080' },
      'admin-port': { type: 'string', default: '9901' },
      upstreams: { type: 'boolean', default: false },
      upstream: { type: 'string' },
      listen: { type: 'string' },
    });
    const port = readPort('port', options.port);
    const adminPort = readPort('admin-port', options['admin-port']);
    if (options.upstreams && options.upstream !== undefined) {
      throw new UsageError('--upstreams runs all versions and --upstream VERSION one; give one of the two');
    }
    const alone = aloneOf(options.upstream, options.listen);
    const order: DemoOrder = alone?.order ?? { host: LOOPBACK, ports: options.upstreams ? AS_IN_EXAMPLE : FREE };
    const file = new URL(`./demo-versions${extname(import.meta.url)}`, import.meta.url);
    const versions = new Worker(file, { workerData: order });
    try {
      const [ports] = (await once(versions, 'message')) as [DemoPorts];
      versions.on('error', (error) => io.err(`sluice demo: the demo versions failed: ${error.message}\n`));
      if (alone !== null) return await upstreamsOnly(alone.said(ports), io);
      if (options.upstreams) {
        return await upstreamsOnly('v1 answers on 127.0.0.1:3001 and :3002, v2 on :3003. Ctrl-C ends them.\n', io);
      }
      const { createLogger, serveUntilStopped, textSource } = await serve();
      const source = textSource(configText(port, adminPort, ports), 'demo');
      // The demo's screen is for the commands; only trouble is logged.
      const logger = { ...createLogger(io.err), info: () => {} };
      return await serveUntilStopped({
        ...{ source, loaded: source.load(), logger },
        ready: ([address], admin) => io.out(guide(address?.port ?? port, admin ?? '', ports)),
        failed: (message) => io.err(`sluice demo: ${message}; choose other ones with --port N and --admin-port N\n`),
      });
    } catch (error) {
      const message = listenFailure(error);
      if (message === null) throw error;
      io.err(`sluice demo: ${message}\n`);
      return 1;
    } finally {
      await versions.terminate();
    }
  },
};

/** One version by itself, and what is said when it listens; null where it was not asked for. */
function aloneOf(
  version: string | undefined,
  listen: string | undefined,
): { readonly order: DemoOrder; readonly said: (ports: DemoPorts) => string } | null {
  if (version === undefined) {
    if (listen !== undefined) throw new UsageError('--listen needs --upstream VERSION');
    return null;
  }
  if (version !== 'v1' && version !== 'v2') {
    throw new UsageError(`--upstream must be v1 or v2, not ${JSON.stringify(version)}`);
  }
  const { host, port } = readAddress(listen ?? '127.0.0.1:3001');
  const said = (ports: DemoPorts): string => {
    const address = authority({ host, port: ports[version][0] ?? port });
    return `${version} answers on ${address}. Ctrl-C ends it.\n`;
  };
  return { order: { host, ports: { v1: [], v2: [], [version]: [port] } }, said };
}

function readAddress(text: string): ListenConfig {
  const parsed = parseListen(text);
  if ('fault' in parsed) throw new UsageError(`--listen ${parsed.fault}`);
  return parsed.ok;
}

async function upstreamsOnly(said: string, io: Io): Promise<number> {
  io.out(said);
  const ended = Promise.withResolvers<number>();
  const stopListening = io.onInterrupt?.(() => ended.resolve(0));
  try {
    return await ended.promise;
  } finally {
    stopListening?.();
  }
}

function readPort(name: string, text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new UsageError(`--${name} must be a number from 0 to 65535, not ${JSON.stringify(text)}`);
}

function configText(port: number, adminPort: number, { v1, v2 }: DemoPorts): string {
  return `
listen: 127.0.0.1:${port}
admin: { listen: 127.0.0.1:${adminPort} }
flags:
  new-checkout: { default: off, key: { header: X-User-Id }, header: X-Flag-New-Checkout }
timeouts: { drain: 1s }
services:
  demo:
    versions:
      v1: { endpoints: [ "http://127.0.0.1:${v1[0]}" ] }
      v2: { endpoints: [ "http://127.0.0.1:${v2[0]}" ] }
    lanes: { stable: v1, canary: v2 }
    split: { weights: { v1: 90, v2: 10 } }
    override: { header: X-Canary-Deploy }
    balance: peak_ewma
    health: { path: /health }
    retry: { attempts: 1, on: [ connect-failure, reset ] }
    shield: { on: [ connect-failure, reset, timeout, 500 ] }
    exposeVersion: true
strategies:
  quick:
    steps:
      - { name: tenth, weight: 10, for: 15s, pass: [ "error_rate < 1%" ] }
      - { name: half, weight: 50, for: 15s, pass: [ "error_rate < 1%" ] }
      - { name: everyone, weight: 100, for: 10s, pass: [ "error_rate < 1%" ] }
`;
}

function guide(port: number, admin: string, { v1, v2 }: DemoPorts): string {
  const proxy = `http://127.0.0.1:${port}`;
  return `Sluice demo
  proxy  ${proxy}
  page   ${admin}/  the dashboard, for a browser
  admin  ${admin}  (the API is described at ${admin}/docs)
  v1     http://127.0.0.1:${v1[0]}  stable, 90 %
  v2     http://127.0.0.1:${v2[0]}  canary, 10 %

Try in another terminal:

  # 20 requests, counted by version
  for i in $(seq 20); do curl -s ${proxy}/; done | sort | uniq -c

  # half of the traffic to the canary, at once and without a restart; then all of it back
  curl -sX PUT -H 'Content-Type: application/json' -d '{"stable": 50, "canary": 50}' ${admin}/api/v1/services/demo/weights
  curl -sX POST -H 'Content-Type: application/json' -d '{"reason": "enough"}' ${admin}/api/v1/services/demo/rollback

  # what was answered, by version and status; what happened
  curl -s ${admin}/metrics | grep ^sluice_requests_total
  curl -s -H 'Accept: application/json' ${admin}/api/v1/events

  # a rollout of v2, step by step, while there is traffic (200 requests a second for ten minutes); where it stands, and why
  curl -s --rate 200/s -o /dev/null '${proxy}/?[1-120000]' &
  curl -sX POST -H 'Content-Type: application/json' -d '{"version": "v2", "strategy": "quick"}' ${admin}/api/v1/services/demo/rollouts
  curl -s ${admin}/api/v1/rollouts/demo-1/why

  # now v2 fails half of its requests: it is taken back within a second, and again no user sees it
  curl -sX POST -H 'X-Canary-Deploy: v2' '${proxy}/fail?percent=50'

  # a feature flag: on for half of the users, and the service is told for whom
  curl -sX PUT -H 'Content-Type: application/json' -d '{"value": "50%"}' ${admin}/api/v1/flags/new-checkout
  for i in $(seq 6); do curl -s -H "X-User-Id: $i" ${proxy}/echo | grep -i x-flag; done

  # straight to the canary; x-sluice-version says who answered
  curl -i -H 'X-Canary-Deploy: canary' ${proxy}/

  # v2 fails here, and no user sees it: what v2 answers with 500 is asked again of v1
  for i in $(seq 20); do curl -s -o /dev/null -w '%{http_code}\\n' ${proxy}/bug; done | sort | uniq -c
  curl -i -H 'X-Canary-Deploy: canary' ${proxy}/bug

  # an upload, and the request as the service saw it
  curl -d 'hello' ${proxy}/echo

  # a chunked upload of 100,000 lines, streamed back
  seq 100000 | curl -sT - ${proxy}/echo | tail -n 1

  # a stream of events
  curl -N ${proxy}/stream

  # a slow answer, and a failing one
  curl '${proxy}/slow?ms=2000'
  curl -i ${proxy}/status/503

Ctrl-C ends it.
`;
}

/**
 * `sluice demo`: two small versions of a service, the proxy in front of them, and commands to paste.
 *
 * The versions live in a worker thread of their own so that they take no time from the main thread, on ports the kernel chooses.
 * The configuration is a text read by the same loader as a file: what the demo shows is what a file would do.
 */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseConfig } from '../control/config/load.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { type Command, type Io, readOptions, UsageError } from './command.ts';

const HELP = `Run two demo versions and the proxy in front of them; prints commands to try.

Usage: sluice demo [--port N]

Options:
  --port N    the proxy's port on 127.0.0.1; default 8080, 0 for a free one
  -h, --help  this text

Examples:
  sluice demo
  sluice demo --port 9000
`;

/** What `demo-versions.ts` answers once both versions listen. */
export interface DemoPorts {
  readonly v1: number;
  readonly v2: number;
}

/** Loaded when it is needed: what serves brings libraries along that help and checks have no use for. */
const serve = (): Promise<typeof import('./serve.ts')> => import('./serve.ts');

export const demoCommand: Command = {
  name: 'demo',
  summary: 'run two demo versions and the proxy in front of them',
  help: HELP,

  async run(args: readonly string[], io: Io): Promise<number> {
    const port = readPort(readOptions(args, { port: { type: 'string', default: '8080' } }).port);
    const versions = new Worker(new URL(`./demo-versions${extname(import.meta.url)}`, import.meta.url));
    try {
      const [ports] = (await once(versions, 'message')) as [DemoPorts];
      versions.on('error', (error) => io.err(`sluice demo: the demo versions failed: ${error.message}\n`));
      return await (await serve()).serveUntilStopped({
        config: parseConfig(configText(port, ports), 'demo', {}),
        logger: quietLogger(io),
        ready: ([address]) => io.out(guide(address?.port ?? port, ports)),
        failed: (message) => io.err(`sluice demo: ${message}; choose another one with --port N\n`),
      });
    } finally {
      await versions.terminate();
    }
  },
};

function readPort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new UsageError(`--port must be a number from 0 to 65535, not ${JSON.stringify(text)}`);
}

/** The demo's screen is for the commands; only trouble is logged. */
function quietLogger(io: Io): Logger {
  return { ...createLogger(io.err), info: () => {} };
}

function configText(port: number, { v1, v2 }: DemoPorts): string {
  return `
listen: 127.0.0.1:${port}
timeouts: { drain: 1s }
services:
  demo:
    versions:
      v1: { endpoints: [ "http://127.0.0.1:${v1}" ] }
      v2: { endpoints: [ "http://127.0.0.1:${v2}" ] }
    lanes: { stable: v1, canary: v2 }
    split: { weights: { v1: 90, v2: 10 } }
    override: { header: X-Canary-Deploy }
    balance: peak_ewma
    health: { path: / }
    retry: { attempts: 1, on: [ connect-failure, reset ] }
    shield: { on: [ connect-failure, reset, timeout, 500 ] }
    exposeVersion: true
`;
}

function guide(port: number, { v1, v2 }: DemoPorts): string {
  const proxy = `http://127.0.0.1:${port}`;
  return `Sluice demo
  proxy  ${proxy}
  v1     http://127.0.0.1:${v1}  stable, 90 %
  v2     http://127.0.0.1:${v2}  canary, 10 %

Try in another terminal:

  # 20 requests, counted by version
  for i in $(seq 20); do curl -s ${proxy}/; done | sort | uniq -c

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

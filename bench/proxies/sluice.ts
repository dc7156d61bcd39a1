/**
 * Sluice as a user runs it, twice, with one worker: with what is on by default, and with everything switched on that looks after requests.
 *
 * Both split 90/10 between two versions and have the override and the version header. In the second, sessions are by cookie: a request without
 * one begins a new session each time, which is the worst case (scenario `small` and others); `session` is the common one.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProxySetup } from './proxy-setup.ts';

const root = new URL('../../', import.meta.url).pathname;
const entry = join(root, 'src/main.ts');

function setup(id: string, title: string, note: string, settings: string): ProxySetup {
  return {
    id,
    title,
    note,
    justInTime: true,
    missing: () => (existsSync(entry) ? null : 'src/main.ts is not there'),
    version: () => {
      const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
      return `${manifest.version} on Node ${process.version}`;
    },
    launch: ({ port, upstreamPort, directory }) => {
      const file = join(directory, `${id}.yaml`);
      const upstream = `http://127.0.0.1:${upstreamPort}`;
      writeFileSync(
        file,
        `listen: 127.0.0.1:${port}
workers: 1
services:
  app:
    versions:
      v1: { endpoints: ["${upstream}"] }
      v2: { endpoints: ["${upstream}"] }
    lanes: { stable: v1, canary: v2 }
    split: { weights: { v1: 90, v2: 10 } }
    override: { header: X-Canary-Deploy }
    exposeVersion: true
${settings}`,
      );
      return { command: process.execPath, args: [entry, 'run', '-c', file], cwd: directory };
    },
  };
}

export const sluice = setup(
  'sluice',
  'Sluice',
  'workers: 1, all defaults, 90/10 split, override header, x-sluice-version',
  '',
);

export const sluiceEverything = setup(
  'sluice-all',
  'Sluice, all on',
  'the same with session cookie, peak_ewma, health checks, outlier detection, retries, shield and circuit breaker',
  `    affinity: { cookie: sluice_session }
    balance: peak_ewma
    health: { path: /small, interval: 1s, status: 200-404 }
    outlier: {}
    retry: { attempts: 2, budget: 20% }
    shield: {}
    circuit: { maxRequests: 100000, maxRetries: 1000 }
`,
);

/** Sluice as a user runs it: every default feature on, two versions split 90/10, override header, version header, one worker. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProxySetup } from './proxy-setup.ts';

const root = new URL('../../', import.meta.url).pathname;
const entry = join(root, 'src/main.ts');

export const sluice: ProxySetup = {
  id: 'sluice',
  title: 'Sluice',
  note: 'workers: 1, all defaults, 90/10 split, override header, x-sluice-version',
  justInTime: true,
  missing: () => (existsSync(entry) ? null : 'src/main.ts is not there'),
  version: () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return `${manifest.version} on Node ${process.version}`;
  },
  launch: ({ port, upstreamPort, directory }) => {
    const file = join(directory, 'sluice.yaml');
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
`,
    );
    return { command: process.execPath, args: [entry, 'run', '-c', file], cwd: directory };
  },
};

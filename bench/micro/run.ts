/** Runs every micro-benchmark in a process of its own, so that none profits or suffers from what another made V8 assume. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const SUPPORT = new Set(['run.ts', 'harness.ts', 'samples.ts']);
const folder = new URL('./', import.meta.url);

for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('.ts') || SUPPORT.has(file)) continue;
  const { status } = spawnSync(process.execPath, [new URL(file, folder).pathname], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

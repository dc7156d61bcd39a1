/**
 * `npm run image`: the Dockerfile's steps without a container engine, the size of what comes out, and a trial of it.
 *
 * It starts itself once more in a mount namespace, so that every mount ends with it, and the trial in a network namespace. What a real
 * engine would do besides is not tried: pulling the base images, seccomp, cgroups, networks and DNS between containers.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage } from './build-image.ts';

const MOST_BYTES = 200_000_000;
const context = join(import.meta.dirname, '../..');
const [inside] = process.argv.slice(2);

if (inside === undefined) {
  if (process.getuid?.() !== 0) throw new Error('carrying out a Dockerfile takes root: chroot, mounts, namespaces');
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-image-'));
  const again = ['--mount', '--propagation', 'private', process.execPath, import.meta.filename, scratch];
  const { status } = spawnSync('unshare', again, { stdio: 'inherit' });
  rmSync(scratch, { recursive: true, force: true });
  process.exitCode = status ?? 1;
} else {
  const say = (line: string): void => console.log(line);
  const cache = join(context, 'node_modules/.cache/image');
  const image = buildImage({ context, scratch: inside, cache, say });
  report(image.root);
  const plan = join(inside, 'plan.json');
  writeFileSync(plan, JSON.stringify({ context, scratch: inside, image }));
  const trial = ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath];
  const { status } = spawnSync('unshare', [...trial, join(import.meta.dirname, 'try-image.ts'), plan], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

function report(root: string): void {
  const parts = { node: 'usr/local/bin/node', packages: 'app/node_modules', program: 'app/dist' };
  const sizes = Object.entries(parts).map(([name, path]) => [name, bytesOf(join(root, path))] as const);
  const whole = bytesOf(root);
  const base = sizes.reduce((rest, [, size]) => rest - size, whole);
  for (const [name, size] of [...sizes, ['base image', base] as const, ['image', whole] as const]) {
    console.log(`${(size / 1e6).toFixed(1).padStart(8)} MB  ${name}`);
  }
  if (whole > MOST_BYTES) throw new Error(`the image has ${whole} bytes, more than ${MOST_BYTES}`);
}

/** Of the files; directories and links are nothing. */
function bytesOf(path: string): number {
  const status = lstatSync(path);
  if (status.isDirectory()) return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
  return status.isFile() ? status.size : 0;
}

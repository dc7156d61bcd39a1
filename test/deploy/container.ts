/**
 * A program in an image's file system under the rules that a container engine gives it with `--read-only --cap-drop ALL`: PID 1 of its own
 * process namespace, the user that the image names, no capabilities and no way to new ones, everything read-only but the volumes.
 *
 * Of namespaces it has mounts and processes; the network is that of whoever starts it. There is no seccomp filter and no cgroup.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { lastOf, type Stage } from './dockerfile.ts';

export interface Image {
  readonly root: string;
  readonly stage: Stage;
}

export interface RunOptions {
  /** In place of CMD. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Path in the container → path here. */
  readonly volumes?: Readonly<Record<string, string>>;
}

export interface Container {
  /** Of the program, as it is seen from here. */
  readonly pid: number;
  readonly log: readonly string[];
  readonly exit: Promise<number | null>;
  /** A second program beside it, as `docker exec` runs one. */
  execute(words: readonly string[]): Promise<{ readonly code: number; readonly output: string }>;
}

const DEVICES = ['null', 'zero', 'random', 'urandom'];

const SCRIPT = `
set -e
root=$1 user=$2 volumes=$3
shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
while [ "$volumes" -gt 0 ]; do
  mount --bind "$2" "$root$1"
  shift 2
  volumes=$((volumes - 1))
done
for each in ${DEVICES.join(' ')}; do mount --bind "/dev/$each" "$root/dev/$each"; done
mount -t proc proc "$root/proc"
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
`;

export async function startContainer({ root, stage }: Image, options: RunOptions): Promise<Container> {
  const { volumes = {}, args = lastOf(stage, 'CMD')?.words ?? [] } = options;
  for (const path of Object.keys(volumes)) madeBefore(join(root, path), volumes[path]!);
  mkdirSync(join(root, 'dev'), { recursive: true });
  for (const device of DEVICES) writeFileSync(join(root, 'dev', device), '');
  const user = lastOf(stage, 'USER')?.text ?? '0:0';
  const program = [...(lastOf(stage, 'ENTRYPOINT')?.words ?? []), ...args];
  const pairs = Object.entries(volumes).flat();
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--kill-child=KILL', 'sh', '-c', SCRIPT, 'sh', root, user],
      ...[String(pairs.length / 2), ...pairs, ...program],
    ],
    { env: environmentOf(stage, options.env), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => log.push(line));
  }
  const exit = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  const pid = await firstChild(child);
  return { pid, log, exit, execute: (words) => execute(pid, root, user, stage, words) };
}

/** An engine makes the place of a mount in the image's files where there is none. */
function madeBefore(path: string, source: string): void {
  if (source.endsWith('hosts')) writeFileSync(path, '');
  else mkdirSync(path, { recursive: true });
}

function environmentOf(stage: Stage, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  for (const { name, text } of stage.instructions) {
    const [key = '', value = ''] = text.split('=');
    if (name === 'ENV') env[key] = value;
  }
  return { ...env, ...more };
}

async function firstChild({ pid }: ChildProcess): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    if (children !== '') return Number(children.split(' ')[0]);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the container has no process');
}

async function execute(pid: number, root: string, user: string, stage: Stage, words: readonly string[]) {
  const inside = ['--target', String(pid), '--mount', '--pid', 'setpriv', '--no-new-privs', 'chroot'];
  try {
    const { stdout, stderr } = await promisify(execFile)(
      'nsenter',
      [...inside, `--userspec=${user}`, '--groups=', root, ...words],
      { env: environmentOf(stage) },
    );
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, output: stdout + stderr };
  }
}

/**
 * The Dockerfile carried out without a container engine: each stage in a folder, COPY as copying, RUN as chroot.
 *
 * A stage on an official Node image has this machine's own files as a layer below (overlayfs), with the Node of that version and npm in front;
 * only what it writes is its own. That is no Debian slim, so it proves that the commands are right and enough, not that the image has
 * every program that they call (they call npm, find, rm and mkdir). The last stage is on an image without a package manager, which is
 * put together of the Debian packages that it is made of, so that what runs on it finds exactly those libraries.
 *
 * Needs root, a mount namespace of its own (the mounts go away with it) and apt-get. The packages are kept in `cache`.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type Instruction, parseDockerfile, type Stage } from './dockerfile.ts';

export interface BuildOptions {
  /** The build context: the folder with Dockerfile and .dockerignore. */
  readonly context: string;
  /** For the stages; new. */
  readonly scratch: string;
  readonly cache: string;
  readonly say: (line: string) => void;
}

export interface BuiltImage {
  readonly root: string;
  readonly stage: Stage;
}

const DISTROLESS = 'gcr.io/distroless/cc-debian13:nonroot';
/** What that image is made of: its `static`, `base` and `cc` parts. */
const DISTROLESS_PACKAGES = [
  ...['base-files', 'netbase', 'tzdata', 'media-types', 'ca-certificates'],
  ...['libc6', 'libssl3t64', 'zlib1g', 'libzstd1'],
  ...['libgcc-s1', 'libgomp1', 'libstdc++6', 'gcc-14-base'],
];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function buildImage(options: BuildOptions): BuiltImage {
  const stages = parseDockerfile(readFileSync(join(options.context, 'Dockerfile'), 'utf8'));
  const roots = new Map<string, string>();
  for (const stage of stages) {
    options.say(`stage ${stage.name} from ${stage.base}`);
    roots.set(stage.name, carryOut(stage, roots, options));
  }
  const stage = stages.at(-1)!;
  return { root: roots.get(stage.name)!, stage };
}

function carryOut(stage: Stage, roots: ReadonlyMap<string, string>, options: BuildOptions): string {
  const root = stage.base === DISTROLESS ? distroless(stage, options) : overThisMachine(stage, options);
  let directory = '/';
  for (const instruction of stage.instructions) {
    const { name, words, text } = instruction;
    if (name === 'WORKDIR') {
      directory = resolve(directory, text);
      mkdirSync(join(root, directory), { recursive: true });
    } else if (name === 'COPY') {
      copy(instruction, { root, directory, roots, context: options.context });
    } else if (name === 'RUN') {
      options.say(`  RUN ${text}`);
      run(root, directory, text);
    } else if (words.length === 0) {
      throw new Error(`Dockerfile:${instruction.line}: ${name} says nothing`);
    }
  }
  return root;
}

function overThisMachine(stage: Stage, { scratch, context }: BuildOptions): string {
  const [, version] = /^node:(\d+\.\d+\.\d+)-/.exec(stage.base) ?? [];
  if (version !== process.versions.node) {
    throw new Error(`${stage.base} is not an image of Node ${process.versions.node}, which runs this`);
  }
  const [upper = '', work = '', root = ''] = ['upper', 'work', 'root'].map((part) => join(scratch, stage.name, part));
  for (const folder of [upper, work, root]) mkdirSync(folder, { recursive: true });
  mkdirSync(join(upper, 'usr/local/bin'), { recursive: true });
  cpSync(join(context, 'node_modules/node/bin/node'), join(upper, 'usr/local/bin/node'));
  mount('-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, root);
  mount('--rbind', '/proc', join(root, 'proc'));
  mount('--rbind', '/dev', join(root, 'dev'));
  return root;
}

function distroless(stage: Stage, { scratch, cache }: BuildOptions): string {
  const packages = debianPackages(cache);
  const root = join(scratch, stage.name, 'root');
  mkdirSync(root, { recursive: true });
  for (const file of packages) execFileSync('dpkg', ['-x', file, root]);
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  return root;
}

/** Fetched once, by apt-get with lists of its own, so that this machine's sources and packages stay as they are. */
function debianPackages(cache: string): string[] {
  const folder = join(cache, 'debian-13');
  const found = (): string[] =>
    existsSync(folder)
      ? readdirSync(folder).flatMap((file) => (file.endsWith('.deb') ? [join(folder, file)] : []))
      : [];
  if (found().length === DISTROLESS_PACKAGES.length) return found();
  for (const part of ['lists/partial', 'archives/partial']) mkdirSync(join(folder, part), { recursive: true });
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(join(folder, 'sources'), `deb [signed-by=${key}] http://deb.debian.org/debian trixie main\n`);
  writeFileSync(join(folder, 'status'), '');
  const settings = {
    'Dir::Etc::SourceList': join(folder, 'sources'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'APT::Sandbox::User': 'root',
  };
  const given = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  execFileSync('apt-get', [...given, 'update', '-qq'], { cwd: folder });
  execFileSync('apt-get', [...given, 'download', '-qq', ...DISTROLESS_PACKAGES], { cwd: folder });
  return found();
}

interface CopyPlace {
  readonly root: string;
  readonly directory: string;
  readonly roots: ReadonlyMap<string, string>;
  readonly context: string;
}

function copy({ line, flags, words }: Instruction, { root, directory, roots, context }: CopyPlace): void {
  const from = flags.from === undefined ? context : roots.get(flags.from);
  if (from === undefined) throw new Error(`Dockerfile:${line}: there is no stage ${flags.from}`);
  const target = words.at(-1)!;
  const sent = flags.from === undefined ? sentFiles(context) : null;
  for (const word of words.slice(0, -1)) {
    const names = sent !== null && word === '.' ? sent : [word];
    for (const name of names) {
      if (sent !== null && !sent.includes(name)) {
        throw new Error(`Dockerfile:${line}: ${name} is not in the context; see .dockerignore`);
      }
      const isFolder = target.endsWith('/') || target === '.' || names.length > 1;
      const path = isFolder ? join(target, basename(name)) : target;
      const to = join(root, resolve(directory, path));
      cpSync(join(from, name), to, { recursive: true, verbatimSymlinks: true });
      if (flags.chown !== undefined) chownAll(to, flags.chown);
    }
  }
}

function chownAll(path: string, owner: string): void {
  const [user = 0, group = 0] = owner.split(':').map(Number);
  if (readdirSync(path).length > 0) throw new Error(`--chown is known for empty folders only, not ${path}`);
  chownSync(path, user, group);
}

/** What .dockerignore lets through: a file that takes everything away and names what stays. */
export function sentFiles(context: string): string[] {
  const lines = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n');
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const [first, ...rest] = patterns;
  const odd = rest.find((pattern) => !/^![\w.-]+$/.test(pattern));
  if (first !== '*' || odd !== undefined) throw new Error(`.dockerignore: not understood here: ${odd ?? first}`);
  return rest.map((pattern) => pattern.slice(1));
}

function run(root: string, directory: string, text: string): void {
  const { HOME: _home, PATH: _path, ...inherited } = process.env;
  // Proxies and certificate authorities of this machine are the network's business, and a cache spares the registry.
  const env = { ...inherited, PATH, HOME: '/root', npm_config_prefer_offline: 'true' };
  execFileSync('chroot', [root, '/bin/sh', '-ec', `cd ${directory}\n${text}`], {
    env: { ...env, NODE_PATH: '', NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const mount = (...args: readonly string[]): void => void execFileSync('mount', args);

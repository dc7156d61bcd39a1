/**
 * Disks that are really full, limited or read-only: the store says so, keeps what it has, and writes again by itself.
 *
 * The full and the read-only disk are file systems in memory, mounted in a mount namespace of their own that goes away with the process. The
 * kernel refuses to remount one read-only while files are open for writing. What really makes that happen is an error that it finds by
 * itself: ext4 in a file, which takes such an error by request. From there no way leads back, so the way back is tried with
 * files that become immutable.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { newFolder } from '../kit/store.ts';
import { lacking, plainEnvironment, run } from './commands.ts';

const NODE = `'${process.execPath}' '${fileURLToPath(new URL('./store-disk-steps.ts', import.meta.url))}'`;

const namespaces = (): string | false => {
  const tried = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=1m none /mnt'], {
    env: plainEnvironment(),
  });
  return tried.status !== 0 && 'no file system can be mounted in a namespace here';
};

const immutability = (): string | false => {
  const folder = newFolder(t);
  const script = `cd '${folder}' && exec 3>f && chattr +i f && ! echo x >&3; status=$?; chattr -i f; exit $status`;
  const tried = spawnSync('sh', ['-c', script], { env: plainEnvironment() });
  rmSync(folder, { recursive: true, force: true });
  return tried.status !== 0 && 'files here cannot be made immutable while they are open';
};

const noMount = lacking('unshare', 'mount') || namespaces();
const noLimit = lacking('prlimit');
const noImmutable = lacking('chattr') || immutability();

const loops = (): string | false => {
  const folder = newFolder(t);
  const script = `cd '${folder}' && truncate -s 8M i && mkfs.ext4 -q i && mkdir m && mount -o loop i m && ls /sys/fs/ext4/*/trigger_fs_error`;
  const tried = spawnSync('unshare', ['-m', 'sh', '-c', script], { env: plainEnvironment() });
  return tried.status !== 0 && 'no ext4 in a file can be mounted here';
};
const noLoop = lacking('unshare', 'mount', 'mkfs.ext4') || loops();

interface Case {
  readonly name: string;
  readonly skip: string | false;
  /** In a shell; $D is the data directory, $F the top of its disk, `steps NAME` runs a list of steps on it. */
  readonly script: string;
  readonly on: Disk;
}

/** Shell commands that put a disk under $F. */
const DISKS = {
  folder: ':',
  memory: 'mount -t tmpfs -o size=1m none $F',
  // Of a kind for which the log's index is kept in the process.
  overlay:
    'mount -t tmpfs -o size=1m none $F; cd $F; mkdir l u w o; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w none o; F=$F/o; cd /',
  ext4: 'truncate -s 6M $F/i; mkfs.ext4 -q $F/i; mkdir $F/m; mount -o loop,errors=remount-ro $F/i $F/m; F=$F/m',
} as const;

type Disk = keyof typeof DISKS;

const CASES: readonly Case[] = [
  { name: 'written full', skip: noMount, on: 'memory', script: 'steps full' },
  {
    name: 'started on a full disk, after a kill',
    skip: noMount,
    on: 'memory',
    script: 'steps fillAndDie || true; steps startFull',
  },
  {
    name: 'started on a full disk, after a crash of the machine',
    skip: noMount,
    on: 'memory',
    script: 'steps fillAndDie || true; rm $D/state.db-shm; cat /dev/zero >> $F/filler || true; steps startFull',
  },
  { name: 'first started on a full disk', skip: noMount, on: 'memory', script: 'steps firstStartFull' },
  { name: 'written full, not on ext4', skip: noMount, on: 'overlay', script: 'steps unmapped; steps full' },
  { name: 'written full, on ext4', skip: noLoop, on: 'ext4', script: 'steps full' },
  { name: 'turned read-only by the kernel', skip: noLoop, on: 'ext4', script: 'steps emergency' },
  { name: 'a limited file size', skip: noLimit, on: 'folder', script: 'ulimit -S -f 600; steps limit' },
  { name: 'files that become immutable', skip: noImmutable, on: 'folder', script: 'steps immutable' },
  {
    name: 'started on a read-only disk',
    skip: noMount,
    on: 'memory',
    script: 'steps write; mount -o remount,ro $F; steps startReadOnly',
  },
  {
    name: 'started on a read-only disk, after a kill',
    skip: noMount,
    on: 'memory',
    script: 'steps writeAndDie || true; mount -o remount,ro $F; steps startReadOnly',
  },
  {
    name: 'first started on a read-only disk',
    skip: noMount,
    on: 'memory',
    script: 'mount -o remount,ro $F; steps firstStartReadOnly',
  },
];

for (const { name, skip, on, script } of CASES) {
  t.test(name, { skip }, async (t) => {
    const folder = newFolder(t);
    const whole = ['set -e', `F='${folder}'`, DISKS[on], 'D=$F/data', `steps() { ${NODE} $1 $D; }`, script].join('\n');
    // A loop device wants the machine's root, the rest is content with one of its own.
    const [program, ...options] = on === 'folder' ? ['sh'] : ['unshare', on === 'ext4' ? '-m' : '-rm', 'sh'];
    const { status, errors } = await run(program!, [...options, '-c', whole]);
    t.equal(status, 0, errors);
  });
}

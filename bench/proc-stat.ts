/**
 * What Linux says about a process tree: processor time, memory, descendants.
 *
 * Processor time is utime + stime of /proc/PID/stat, which covers all threads of the process, ended ones included; a tree is the process and
 * every live descendant, so an nginx master and its worker count together. The clock ticks at 100 Hz, which over a round of a second
 * or more is an error below one percent. A process that vanishes between two reads counts as nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** Ticks since boot; with the pid it names one process for ever. */
  readonly startTime: string;
}

export interface Memory {
  /** Resident now. */
  readonly residentKiB: number;
  /** Highest resident size so far; summed over a tree, an upper bound of the tree's own peak. */
  readonly peakKiB: number;
}

/** USER_HZ is 100 on every Linux platform that Node runs on. */
const microsecondsPerTick = 10_000;

interface Stat {
  readonly parent: number;
  readonly ticks: number;
  /** Of children that have ended and were waited for. */
  readonly endedChildrenTicks: number;
  readonly startTime: string;
}

function readStat(pid: number): Stat | null {
  const text = read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The command name is in parentheses and may itself contain spaces and parentheses; fields are counted after the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    ticks: Number(fields[11]) + Number(fields[12]),
    endedChildrenTicks: Number(fields[13]) + Number(fields[14]),
    startTime: fields[19] ?? '',
  };
}

/** Every live descendant of `root`, `root` itself left out. */
export function descendants(root: number): ProcessId[] {
  const children = new Map<number, ProcessId[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const stat = readStat(pid);
    if (stat === null) continue;
    const siblings = children.get(stat.parent) ?? [];
    siblings.push({ pid, startTime: stat.startTime });
    children.set(stat.parent, siblings);
  }
  const found: ProcessId[] = [];
  const pending = [root];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const child of children.get(parent) ?? []) {
      found.push(child);
      pending.push(child.pid);
    }
  }
  return found;
}

export function isSameProcess(id: ProcessId): boolean {
  return readStat(id.pid)?.startTime === id.startTime;
}

/** Processor time of the tree so far, user and system, in microseconds. */
export function treeCpuMicroseconds(root: number): number {
  let ticks = 0;
  for (const pid of tree(root)) ticks += readStat(pid)?.ticks ?? 0;
  return ticks * microsecondsPerTick;
}

/** Processor time of one process and of its children that have ended: for the harness and the load generators that it ran. */
export function ownCpuMicroseconds(pid: number): number {
  const stat = readStat(pid);
  return stat === null ? 0 : (stat.ticks + stat.endedChildrenTicks) * microsecondsPerTick;
}

export function treeMemory(root: number): Memory {
  let residentKiB = 0;
  let peakKiB = 0;
  for (const pid of tree(root)) {
    const status = read(`/proc/${pid}/status`) ?? '';
    residentKiB += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    peakKiB += Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return { residentKiB, peakKiB };
}

/** Processor time that all cores together have spent on anything but idling, in microseconds. */
export function machineBusyMicroseconds(): number {
  const line = /^cpu +(.*)$/m.exec(read('/proc/stat') ?? '')?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq) * microsecondsPerTick;
}

function tree(root: number): number[] {
  return [root, ...descendants(root).map((child) => child.pid)];
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

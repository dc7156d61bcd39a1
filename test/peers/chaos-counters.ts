/**
 * Loaded into `sluice run` before it (`node --import`): lets the parent read the counters, which nobody outside of the process can see.
 *
 * It changes nothing but that the supervisor, when it starts, is remembered. Each message of the parent is answered with the sums over
 * all workers. Workers are started with the same options and load this file too; there it does nothing.
 */
import { isMainThread } from 'node:worker_threads';
import type { WorkerMemory } from '../../src/model/counters.ts';
import { VERSION_SLOTS, versionSlot, WORKER_SLOTS } from '../../src/model/counters.ts';
import type { ProxyCounts, VersionCounts } from './chaos-messages.ts';

function sums(
  memories: readonly WorkerMemory[],
  slots: Readonly<Record<string, number>>,
  first: number,
): VersionCounts {
  const total = (slot: number): number => memories.reduce((sum, { counters }) => sum + counters[first + slot]!, 0);
  return Object.fromEntries(Object.entries(slots).map(([name, slot]) => [name, total(slot)]));
}

if (isMainThread && process.send !== undefined) {
  const { Supervisor } = await import('../../src/control/supervisor.ts');
  const start = Supervisor.prototype.start;
  Supervisor.prototype.start = function (): Promise<void> {
    process.on('message', () => {
      const counts: Record<string, VersionCounts> = { worker: sums(this.memories, WORKER_SLOTS, 0) };
      for (const service of this.snapshot.services) {
        for (const { id, name } of service.versions) {
          counts[`${service.name}/${name}`] = sums(this.memories, VERSION_SLOTS, versionSlot(id));
        }
      }
      process.send?.(counts satisfies ProxyCounts);
    });
    // Listening to the parent must not keep a drained process alive.
    process.channel?.unref();
    return start.call(this);
  };
}

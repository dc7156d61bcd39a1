/** Leak check: what the event loop still holds, as Node itself counts it. */
import type { Test } from 'tap';
import { until } from './signal.ts';

/** TCP sockets and servers of this process that are not closed. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}

/** To be called before anything else registers a teardown: they run last to first, so this one sees what the others left. */
export function expectNoSockets(t: Test): void {
  t.teardown(() => until('every socket of the process to be closed', () => openSockets() === 0));
}

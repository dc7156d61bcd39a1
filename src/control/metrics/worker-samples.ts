/** Samples of what belongs to the workers as a whole, summed over all of them; a worker that was replaced left its counts in its memory. */
import { WORKER_SLOTS, type WorkerMemory } from '../../model/counters.ts';
import type { Sample } from './sample.ts';

export function workerCollectors(memories: readonly WorkerMemory[]) {
  const sum = (slot: keyof typeof WORKER_SLOTS): number =>
    memories.reduce((total, { counters }) => total + counters[WORKER_SLOTS[slot]]!, 0);
  const one = (slot: keyof typeof WORKER_SLOTS) => (): Sample[] => [{ value: sum(slot) }];
  return {
    sluice_requests_in_flight: one('inFlight'),
    sluice_requests_refused_total: one('refused'),
    sluice_local_replies_total: one('localReplies'),
    sluice_responses_cut_total: one('cut'),
    sluice_client_aborts_total: one('clientAborts'),
    sluice_connections_accepted_total: one('accepted'),
    sluice_connections_rejected_total: one('rejected'),
    sluice_rate_limited_total: one('rateLimited'),
    sluice_faults_injected_total: one('faultsInjected'),
    sluice_access_log_dropped_total: one('logLinesDropped'),
    sluice_connections: (): Sample[] => {
      // A downstream connection carries one request at a time, so as many are active as there are requests.
      const open = sum('open');
      const active = Math.min(open, sum('inFlight'));
      return [
        { value: active, labels: { side: 'downstream', state: 'active' } },
        { value: open - active, labels: { side: 'downstream', state: 'idle' } },
        { value: sum('upstreamActive'), labels: { side: 'upstream', state: 'active' } },
        { value: sum('upstreamIdle'), labels: { side: 'upstream', state: 'idle' } },
      ];
    },
  };
}

/**
 * Entry of a worker thread: runs one data plane and does what the main thread says.
 *
 * An exception that nothing caught means that this worker's state can no longer be trusted: it says so and exits, and the main thread
 * starts another. The other workers' connections do not notice.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { ListenConfig } from '../model/config.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { FromWorker, ToWorker, WorkerInit } from '../model/worker-messages.ts';
import { ConnectionLedger } from './connection-ledger.ts';
import { DataPlane } from './data-plane.ts';

async function run(port: MessagePort, init: WorkerInit): Promise<void> {
  const say = (message: FromWorker): void => port.postMessage(message);
  const log = (event: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    say({ type: 'log', event, fields });
  const plane = new DataPlane({
    snapshot: init.snapshot,
    memory: {
      own: init.memories[init.index]!,
      all: init.memories,
      endpoints: init.endpoints,
      weights: init.weights,
      rates: init.rates,
      evidence: { table: init.evidence, index: init.index },
    },
    ledger: new ConnectionLedger(init.ledger, init.index, init.ledgerSalt),
    logger: { info: log, warn: log, error: log },
    onTraces: (records) => say({ type: 'traces', records }),
    events: {
      onFailedRequest: (request) => say({ type: 'failed-request', request }),
      onSwitched: (row, use, cause) => say({ type: 'switched', row, use, cause }),
    },
  });
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'apply':
        return say(applied(plane, message.snapshot));
      case 'weigh':
        return say({ type: 'weighed', epoch: plane.weigh() });
      case 'reopen':
        return plane.reopen();
      case 'traces-taken':
        return plane.tracesTaken();
      case 'drain':
        void plane.drain(message.ms).then(() => {
          say({ type: 'drained' });
          port.close();
        });
    }
  });
  const addresses: ListenConfig[] = [];
  for (const address of init.listen) addresses.push(await plane.listen(address, init.reusePort));
  say({ type: 'listening', addresses });
}

/** A snapshot that cannot be run is refused, and the one before goes on. */
function applied(plane: DataPlane, snapshot: Snapshot): FromWorker {
  const { generation } = snapshot;
  try {
    plane.apply(snapshot);
    return { type: 'applied', generation };
  } catch (error) {
    return { type: 'refused', generation, message: error instanceof Error ? error.message : String(error) };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  run(port, workerData as WorkerInit).catch((error: NodeJS.ErrnoException) => {
    port.postMessage({ type: 'failed', code: error.code ?? 'ERROR', message: error.message } satisfies FromWorker);
    port.close();
  });
}

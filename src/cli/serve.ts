/**
 * The life of a serving process, shared by `run` and `demo`.
 *
 *     starting ──start()──▶ serving ──SIGTERM/SIGINT──▶ draining ──drain()──▶ exit 0
 *        │                                                 │
 *        └─ cannot listen ──▶ exit 1                        └─ a second signal ──kill()──▶ exit 1
 *
 * A signal while starting waits for the start and then drains. The second signal waits for nothing: who sends it wants the
 * process gone.
 */
import { Supervisor } from '../control/supervisor.ts';
import type { ListenConfig, SluiceConfig } from '../model/config.ts';
import type { Logger } from '../runtime/logger.ts';
import { listenFailure, probeAddresses } from './listen-probe.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** SIGUSR1 is Node's own. */
const REPORT_SIGNAL = 'SIGUSR2';

export interface Served {
  readonly config: SluiceConfig;
  readonly logger: Logger;
  /** Told which addresses are bound. */
  ready?(addresses: readonly ListenConfig[]): void;
  /** Told in one line why the addresses could not be bound. */
  failed(message: string): void;
}

export async function serveUntilStopped({ config, logger, ready, failed }: Served): Promise<number> {
  const supervisor = new Supervisor({ config, logger });
  const stop = Promise.withResolvers<void>();
  const killed = Promise.withResolvers<number>();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals === 1) {
      logger.info('stopping', { signal });
      stop.resolve();
      return;
    }
    logger.warn('killed', { signal });
    supervisor.kill().catch(() => {});
    killed.resolve(1);
  };
  const onReport = (): void => supervisor.report();
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  process.on(REPORT_SIGNAL, onReport);

  const served = async (): Promise<number> => {
    try {
      await probeAddresses(config.listen);
      await supervisor.start();
    } catch (error) {
      const message = listenFailure(error);
      if (message === null) throw error;
      failed(message);
      await supervisor.kill();
      return 1;
    }
    ready?.(supervisor.addresses);
    await stop.promise;
    await supervisor.drain();
    return 0;
  };
  try {
    return await Promise.race([served(), killed.promise]);
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    process.off(REPORT_SIGNAL, onReport);
  }
}

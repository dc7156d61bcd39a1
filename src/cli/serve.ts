/**
 * The life of a serving process, shared by `run` and `demo`.
 *
 *     starting ──start()──▶ serving ──SIGTERM/SIGINT, drain call──▶ draining ──drain()──▶ exit 0
 *        │                    └─ SIGHUP: reload, SIGUSR2: log files      │
 *        └─ cannot start ──▶ exit 1                                       └─ a second signal ──kill()──▶ exit 1
 *
 * A signal while starting waits for the start and then drains. The second signal waits for nothing: who sends it wants the
 * process gone.
 */
import { type ConfigSource, fileSource, textSource } from '../control/change/config-source.ts';
import type { LoadedConfig } from '../control/config/load.ts';
import { ControlPlane } from '../control/control-plane.ts';
import { createLogger } from '../control/log.ts';
import { StateFileError } from '../control/store/state-file-error.ts';
import { DataLockedError } from '../control/store/state-lock.ts';
import { StoreError } from '../control/store/store.ts';
import type { ListenConfig } from '../model/config.ts';
import type { Logger } from '../runtime/logger.ts';
import { listenFailure, probeAddresses } from './listen-probe.ts';
import { packageVersion } from './package-version.ts';

/** What `run` and `demo` need besides, so that they load one thing and nothing before it is needed. */
export { createLogger, fileSource, textSource };

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** SIGUSR1 is Node's own. */
const LOG_SIGNAL = 'SIGUSR2';
const RELOAD_SIGNAL = 'SIGHUP';

export interface Served {
  readonly source: ConfigSource;
  /** What the source says now. */
  readonly loaded: LoadedConfig;
  readonly logger: Logger;
  /** Told which addresses are bound, and where the admin API is, if there is one. */
  ready?(addresses: readonly ListenConfig[], admin: string | null): void;
  /** Told in one line why it could not start. */
  failed(message: string): void;
}

export async function serveUntilStopped({ source, loaded, logger, ready, failed }: Served): Promise<number> {
  const stop = Promise.withResolvers<void>();
  const killed = Promise.withResolvers<number>();
  let plane: ControlPlane | null = null;
  let reloadWanted = false;
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals === 1) {
      logger.info('stopping', { signal });
      stop.resolve();
      return;
    }
    logger.warn('killed', { signal });
    plane?.kill().catch(() => {});
    killed.resolve(1);
  };
  const onReload = (): void => {
    reloadWanted = plane === null;
    void plane?.reload('signal', 'SIGHUP');
  };
  const onLog = (): void => {
    plane?.supervisor.report();
    plane?.reopenLogs();
  };
  // Before anything else: what a signal does by default is to end the process.
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  process.on(RELOAD_SIGNAL, onReload);
  process.on(LOG_SIGNAL, onLog);

  const open = async (): Promise<ControlPlane | null> => {
    try {
      const release = packageVersion();
      return await ControlPlane.open({ source, loaded, logger, release, onDrain: () => stop.resolve() });
    } catch (error) {
      const known = [DataLockedError, StateFileError, StoreError].some((kind) => error instanceof kind);
      if (!known || !(error instanceof Error)) throw error;
      failed(error.message);
      return null;
    }
  };
  const served = async (opened: ControlPlane): Promise<number> => {
    try {
      await probeAddresses(loaded.config.listen);
      await opened.start();
    } catch (error) {
      const message = listenFailure(error);
      if (message === null) throw error;
      failed(message);
      await opened.kill();
      return 1;
    }
    ready?.(opened.supervisor.addresses, opened.adminUrl);
    await stop.promise;
    await opened.drain();
    return 0;
  };
  try {
    const opened = await open();
    if (opened === null) return 1;
    plane = opened;
    if (reloadWanted) onReload();
    return await Promise.race([served(opened), killed.promise]);
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    process.off(RELOAD_SIGNAL, onReload);
    process.off(LOG_SIGNAL, onLog);
  }
}

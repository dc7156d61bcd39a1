/**
 * Reading the configuration again, all or nothing.
 *
 * A file with a fault changes nothing and is answered with every fault in it. What a running process cannot take over (its addresses, the
 * number of its workers, its state directory) is refused too, rather than half done. A text that means the same as before is no
 * change: nothing is swapped and nothing written down, but secrets and certificates are read anew all the same.
 *
 * Runtime changes stay in force over what the files say; those that no longer fit are given up and named.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SluiceConfig } from '../../model/config.ts';
import { Secret } from '../../model/secret.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type ConfigContents, contentsOf } from '../config/contents.ts';
import { ConfigError } from '../config/faults.ts';
import type { LoadedConfig } from '../config/load.ts';
import { differences, redactedConfig } from '../config/redacted.ts';
import type { Actor, ChangeOptions, ConfigView, ReloadResult } from '../operations.ts';
import { type FieldFault, OperationError } from '../problems.ts';
import type { ChangeCore, EventPublisher } from './change-core.ts';
import type { ConfigSource } from './config-source.ts';

/** Differences that are written into the audit; more are only counted. */
const MOST_DIFFERENCES = 100;

export interface ReloadOptions {
  readonly core: ChangeCore;
  readonly source: ConfigSource;
  /** What was read at the start. */
  readonly loaded: LoadedConfig;
  readonly events: EventPublisher;
  readonly logger: Logger;
  readonly wallClock: () => number;
  readonly observe: (result: 'applied' | 'unchanged' | 'rejected') => void;
  /** Called with what was read, changed or not, once it is running. */
  readonly settled: (loaded: LoadedConfig) => Promise<void>;
}

export class ConfigOperations {
  readonly #options: ReloadOptions;
  #loaded: LoadedConfig;
  #loadedAt: string;
  #watched: readonly string[];
  #rejected: ConfigView['rejected'] = null;
  #waiting = false;

  constructor(options: ReloadOptions) {
    this.#options = options;
    this.#loaded = options.loaded;
    this.#loadedAt = this.#now();
    this.#watched = [...options.loaded.files, ...options.loaded.dependencies];
  }

  /** Files whose change is a change of the configuration; of a faulty one too, since mending it may mean mending them. */
  get watched(): readonly string[] {
    return this.#watched;
  }

  /** Whether somebody waits for a turn to read the files: what they hold now will be read then. */
  get waiting(): boolean {
    return this.#waiting;
  }

  view(): ConfigView {
    const { state } = this.#options.core;
    const file = redactedConfig(state.file);
    const effective = redactedConfig(state.config);
    return {
      generation: state.generation,
      environment: state.file.environment,
      files: this.#loaded.files,
      loadedAt: this.#loadedAt,
      rejected: this.#rejected,
      file,
      effective,
      differences: differences(file, effective),
    };
  }

  /** @throws OperationError config_invalid, busy */
  async validate(text: string | null): Promise<ConfigContents> {
    const { source } = this.#options;
    if (text === null) return contentsOf(readable(() => source.load()).config);
    return source.check(text, this.#loaded.dependencies).catch((error: unknown) => refuse(error));
  }

  reload(actor: Actor, options: ChangeOptions): Promise<ReloadResult> {
    const { core, logger, events, observe } = this.#options;
    this.#waiting = true;
    return core.exclusively(async () => {
      // Reading takes the thread for itself, a second for ten thousand routes; between two readings others have their turn.
      await nextTurn();
      this.#waiting = false;
      try {
        return await this.#reload(actor, options);
      } catch (error) {
        if (!(error instanceof OperationError) || isLate(error)) throw error;
        observe('rejected');
        const problems = error.faults.length > 0 ? error.faults : [{ field: '', message: error.message }];
        this.#rejected = { at: this.#now(), problems };
        logger.error('config_rejected', { message: error.message, problems: error.faults });
        events.emit({
          type: 'config.rejected',
          level: 'warning',
          message: `The configuration was not taken over: ${error.message}`,
          data: { code: error.code, problems: error.faults },
        });
        throw error;
      }
    });
  }

  async #reload(actor: Actor, options: ChangeOptions): Promise<ReloadResult> {
    const { core, source, logger } = this.#options;
    const loaded = readable(
      () => source.load(),
      (dependencies) => {
        this.#watched = [...this.#loaded.files, ...dependencies];
      },
    );
    const before = core.state.file;
    refuseFixed(before, loaded.config);
    const unchanged = fingerprint(before) === fingerprint(loaded.config);
    let result: ReloadResult = { changed: false, generation: core.state.generation, dropped: [] };
    try {
      if (!unchanged) result = await this.#adopt(actor, options, loaded.config);
    } catch (error) {
      if (!isLate(error)) throw error;
      // It runs: that a worker is late is no reason to go on with the tokens from before.
      await this.#settle(loaded, 'applied');
      throw error;
    }
    await this.#settle(loaded, unchanged ? 'unchanged' : 'applied');
    logger.info('config_reloaded', { ...result, actor: actor.name });
    return result;
  }

  async #adopt(actor: Actor, options: ChangeOptions, config: SluiceConfig): Promise<ReloadResult> {
    const { core } = this.#options;
    const found = differences(redactedConfig(core.state.file), redactedConfig(config));
    const changes = found
      .slice(0, MOST_DIFFERENCES)
      .map(({ key, file, effective }) => ({ key, before: file, after: effective }));
    const { applied, dropped } = await core.adopt(actor, options, config, {
      before: changes.map(({ key, before: value }) => ({ key, value })),
      after: changes.map(({ key, after: value }) => ({ key, value })),
      events: [
        {
          ...{ type: 'config.reloaded', level: 'info' },
          message: `The configuration was read again: ${found.length} ${found.length === 1 ? 'value has' : 'values have'} changed`,
          data: { changes: found.length, keys: changes.map(({ key }) => key) },
        },
      ],
    });
    return { changed: true, dropped, ...applied };
  }

  async #settle(loaded: LoadedConfig, result: 'applied' | 'unchanged'): Promise<void> {
    this.#loaded = loaded;
    this.#loadedAt = this.#now();
    this.#watched = [...loaded.files, ...loaded.dependencies];
    this.#rejected = null;
    this.#options.observe(result);
    try {
      await this.#options.settled(loaded);
    } catch (error) {
      // Checked when it was read, so this is a file that has changed since; its change is noticed and read again.
      const message = error instanceof Error ? error.message : String(error);
      this.#options.logger.error('config_partly_taken_over', { message });
    }
  }

  #now(): string {
    return new Date(this.#options.wallClock()).toISOString();
  }
}

/** It runs, only not everywhere yet. */
const isLate = (error: unknown): boolean => error instanceof OperationError && error.code === 'not_acknowledged';

/** @param failed told of the files that a faulty configuration depends on. */
function readable<T>(read: () => T, failed: (dependencies: readonly string[]) => void = () => {}): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) failed(error.dependencies);
    return refuse(error);
  }
}

/** Throws what the fault is to the operator. */
function refuse(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  const faults = error.problems.map(
    ({ file, line, column, path, message }): FieldFault => ({ field: path, message, file, line, column }),
  );
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  throw new OperationError('config_invalid', `the configuration has ${count}; what ran before goes on`, faults);
}

/** Keys that only a restart can change, and why a change of one is refused rather than ignored: it would look as if it held. */
function refuseFixed(before: SluiceConfig, after: SluiceConfig): void {
  const fixed: readonly (readonly [string, (config: SluiceConfig) => unknown])[] = [
    ['listen', (config) => config.listen],
    ['workers', (config) => config.workers],
    ['data', (config) => config.data],
    ['admin.listen', (config) => config.admin?.listen ?? null],
    ['admin.tls', (config) => config.admin?.tls !== undefined],
  ];
  const faults = fixed
    .filter(([, read]) => JSON.stringify(read(before)) !== JSON.stringify(read(after)))
    .map(
      ([field]): FieldFault => ({
        field,
        message: `${field} cannot change while Sluice runs; put it back, or restart`,
      }),
    );
  if (faults.length > 0) throw new OperationError('config_invalid', faults[0]!.message, faults);
}

/** Equal for configurations that mean the same, the values of their secrets included. */
function fingerprint(config: SluiceConfig): string {
  return JSON.stringify(config, function (this: Record<string, unknown>, key, value: unknown) {
    const written = this[key];
    return written instanceof Secret ? createHash('sha256').update(written.reveal()).digest('hex') : value;
  });
}

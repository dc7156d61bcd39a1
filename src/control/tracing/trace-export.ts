/**
 * Tracing as the control plane sees it: opened, changed and closed with the configuration, and counted.
 *
 *     OFF ──configure──▶ OPEN ──other settings──▶ OPEN (the old pipeline sends what it has, beside the new one)
 *      ▲                   │
 *      └──configure(null)──┘
 *
 * Workers hand over plain records (model/trace-record.ts); the pipeline makes spans of them and sends them. The OpenTelemetry packages take a
 * tenth of a second and some megabytes to load, so they are loaded when tracing is first configured and never without.
 *
 * A collector that is down, slow or full costs spans and nothing else. It is logged when that begins and when it is over, not for every batch:
 * a failing export begins an outage and a good one ends it, unless spans were dropped in between because too many wait.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { TracingConfig } from '../../model/admin-config.ts';
import { Secret } from '../../model/secret.ts';
import { spanCount, type TraceRecord } from '../../model/trace-record.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Pipeline, PipelineSettings, PipelineWatch } from './pipeline.ts';

export interface SpanCounts {
  readonly exported: number;
  readonly dropped: number;
}

export interface TraceExportOptions {
  readonly logger: Logger;
  /** Of Sluice, such as 0.1.0. */
  readonly release: string;
  /** How long spans wait for company, milliseconds. Default 1 s. */
  readonly delay?: number;
}

export class TraceExport {
  readonly #options: TraceExportOptions;
  readonly #instance = randomUUID();
  #settings: PipelineSettings | null = null;
  #pipeline: Pipeline | null = null;
  /** Configurations are taken up one after the other. */
  #turn: Promise<void> = Promise.resolve();
  readonly #closing = new Set<Promise<void>>();
  #exported = 0;
  #dropped = 0;
  /** Spans lost in the present outage; null where there is none. */
  #lost: number | null = null;
  #hasOverflowed = false;

  constructor(options: TraceExportOptions) {
    this.#options = options;
  }

  /** Spans so far. */
  get counts(): SpanCounts {
    return { exported: this.#exported, dropped: this.#dropped };
  }

  /** Resolves when it is taken up. Never rejects: where it cannot be, there are no spans and the log says why. */
  configure(config: TracingConfig | null): Promise<void> {
    this.#turn = this.#turn.then(() => this.#take(config));
    return this.#turn;
  }

  async #take(config: TracingConfig | null): Promise<void> {
    const settings = config === null ? null : this.#settingsOf(config);
    if (isDeepStrictEqual(settings, this.#settings)) return;
    try {
      const pipeline =
        settings === null ? null : (await import('./pipeline.ts')).openPipeline(settings, this.#watchOf(settings));
      this.#retire();
      this.#pipeline = pipeline;
      this.#settings = settings;
      if (settings !== null)
        this.#options.logger.info('tracing', { endpoint: originOf(settings), service: settings.service });
    } catch (error) {
      this.#options.logger.error('tracing_unavailable', {
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** What says where and how, secrets revealed: a secret that changes is a change. */
  #settingsOf({ sample: _, parent: __, maxPerSecond: ___, headers, ...rest }: TracingConfig): PipelineSettings {
    const { release, delay } = this.#options;
    return {
      ...rest,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
      ),
      ...{ release, instance: this.#instance },
      ...(delay === undefined ? {} : { delay }),
    };
  }

  /** Lets the present pipeline send what it has. */
  #retire(): void {
    if (this.#pipeline === null) return;
    const closed = this.#pipeline.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
    this.#pipeline = null;
    this.#lost = null;
    this.#hasOverflowed = false;
  }

  /** Takes records from a worker. */
  accept(records: readonly TraceRecord[]): void {
    if (this.#pipeline !== null) return this.#pipeline.add(records);
    for (const record of records) this.#dropped += spanCount(record);
  }

  /** Sends what waits; takes two seconds at most. */
  async close(): Promise<void> {
    await this.configure(null);
    await Promise.all(this.#closing);
  }

  /** A pipeline that has been replaced is counted but not told of: it says nothing about the collector that there is now. */
  #watchOf(settings: PipelineSettings): PipelineWatch {
    return {
      exported: (spans) => {
        this.#exported += spans;
        if (settings === this.#settings) this.#works(settings);
      },
      failed: (spans, why) => this.#lose(settings, spans, `the collector does not take spans: ${why}`),
      overflowed: (spans) => {
        this.#hasOverflowed = true;
        this.#lose(settings, spans, 'the collector cannot keep up; spans are dropped');
      },
    };
  }

  #works(settings: PipelineSettings): void {
    const isOver = this.#lost !== null && !this.#hasOverflowed;
    this.#hasOverflowed = false;
    if (!isOver) return;
    this.#options.logger.info('tracing_recovered', { endpoint: originOf(settings), dropped: this.#lost });
    this.#lost = null;
  }

  #lose(settings: PipelineSettings, spans: number, message: string): void {
    this.#dropped += spans;
    if (settings !== this.#settings) return;
    if (this.#lost === null) {
      this.#options.logger.warn('tracing_failed', { endpoint: originOf(settings), message });
    }
    this.#lost = (this.#lost ?? 0) + spans;
  }
}

/** Path and query of a collector's address may be a key. */
const originOf = ({ endpoint }: PipelineSettings): string => new URL(endpoint).origin;

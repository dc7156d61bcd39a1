/**
 * From records to the collector: OpenTelemetry's batch processor and OTLP exporter, with a count of what becomes of each span.
 *
 *     add ─▶ spans ─▶ queue (bounded) ─▶ batch ─▶ exporter ─▶ exported, or failed
 *                        └─ full: dropped
 *
 * This file and spans.ts are the only ones that load the OpenTelemetry packages, and are loaded themselves when tracing is configured.
 *
 * The processor drops what does not fit its queue without telling, and says of a failed batch only that it failed. So the queue is counted
 * here as well: what is given to the processor less what it has handed to the exporter is what waits, and nothing is given to it beyond
 * the bound. The exporter repeats a batch that the collector refuses for the moment, until the timeout; a batch that is lost
 * then is lost, because keeping it would only lose the next one.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import {
  ATTR_DEPLOYMENT_ENVIRONMENT_NAME,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { TracingConfig } from '../../model/admin-config.ts';
import { spanCount, type TraceRecord } from '../../model/trace-record.ts';
import { type SpanSource, spansOf } from './spans.ts';

/** Most spans in a batch, and how long they wait for company: the exporters' usual size, and a shorter wait than usual. */
const BATCH = 512;
const DELAY = 1_000;
/** Most batches under way at once; only a collector that never answers makes there be more than one. */
const AT_ONCE = 4;
/** How much longer than the exporter's own deadline a batch is waited for. */
const MARGIN = 1_000;
/** Longest that closing may take. */
const CLOSE_TIME = 2_000;

export interface PipelineSettings extends Omit<TracingConfig, 'headers' | 'sample' | 'parent' | 'maxPerSecond'> {
  /** Secrets are revealed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of Sluice, such as 0.1.0. */
  readonly release: string;
  /** Of this process. */
  readonly instance: string;
  /** How long spans wait for company, milliseconds. Default 1 s. */
  readonly delay?: number;
}

/** What becomes of spans. */
export interface PipelineWatch {
  exported(spans: number): void;
  /** The collector did not take them. */
  failed(spans: number, why: string): void;
  /** Too many wait already. */
  overflowed(spans: number): void;
}

export interface Pipeline {
  add(records: readonly TraceRecord[]): void;
  /** Sends what waits, for two seconds at most; never rejects. */
  close(): Promise<void>;
}

export function openPipeline(settings: PipelineSettings, watch: PipelineWatch): Pipeline {
  const { endpoint, headers, timeout, compression, queue, environment, release } = settings;
  const exporter = new CountingExporter(
    new OTLPTraceExporter({
      ...{ url: endpoint, headers: { ...headers }, timeoutMillis: timeout, concurrencyLimit: AT_ONCE },
      ...{ compression: compression as ExporterCompression, userAgent: `sluice/${release}` },
    }),
    watch,
  );
  const processor = new BatchSpanProcessor({
    ...{ exporter, maxQueueSize: queue, maxExportBatchSize: Math.min(BATCH, queue) },
    ...{ scheduledDelayMillis: settings.delay ?? DELAY, exportTimeoutMillis: timeout + MARGIN },
  });
  const source: SpanSource = {
    resource: resourceOf(settings),
    scope: { name: 'sluice', version: release },
    environment,
  };
  return {
    add(records) {
      for (const record of records) {
        // All spans of a request or none: half a trace is a riddle.
        if (exporter.waiting + spanCount(record) > queue) {
          watch.overflowed(spanCount(record));
          continue;
        }
        for (const span of spansOf(record, source)) {
          exporter.waiting++;
          processor.onEnd(span);
        }
      }
    },
    async close() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, CLOSE_TIME);
      // What could not be sent has been counted as failed, or ends with the process.
      await Promise.race([processor.shutdown().catch(() => {}), late.promise]);
      clearTimeout(timer);
    },
  };
}

type ExporterCompression = NonNullable<NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>['compression']>;

/** The standard variable OTEL_RESOURCE_ATTRIBUTES adds what it says, but does not rename the service. */
const resourceOf = ({ service, release, instance, environment }: PipelineSettings) =>
  defaultResource()
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
    .merge(
      resourceFromAttributes({
        [ATTR_SERVICE_NAME]: service,
        [ATTR_SERVICE_VERSION]: release,
        [ATTR_SERVICE_INSTANCE_ID]: instance,
        [ATTR_DEPLOYMENT_ENVIRONMENT_NAME]: environment,
        'deployment.environment': environment,
      }),
    );

class CountingExporter implements SpanExporter {
  /** Spans that were given to the processor and have not come here yet. */
  waiting = 0;
  readonly #inner: SpanExporter;
  readonly #watch: PipelineWatch;

  constructor(inner: SpanExporter, watch: PipelineWatch) {
    this.#inner = inner;
    this.#watch = watch;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    const { length } = spans;
    this.waiting -= length;
    this.#inner.export(spans, (result) => {
      if (result.code === 0) this.#watch.exported(length);
      else this.#watch.failed(length, whyOf(result.error));
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve();
  }
}

/** A refused connection to a name with several addresses has a code and no message, a refused batch a message and a status as its code. */
function whyOf(error: (Error & { readonly code?: string | number }) | undefined): string {
  const code = String(error?.code ?? '');
  const message = error?.message ?? '';
  if (message === '') return code === '' ? 'the collector did not take them' : code;
  return code === '' || message.includes(code) ? message : `${code} ${message}`;
}

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
 *
 * The exporter's timeout is one of silence: a collector that answers a byte now and then would hold its batch for ever, and after a few such
 * no more would be sent. So the agent is our own, and its connections end when a batch takes too long, and when the pipeline closes.
 */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
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
/** Most batches under way at once. There is one at a time; only closing sends all that waits, 260 kB each. */
const AT_ONCE = 16;
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
  const agent = agentFor(endpoint);
  const exporter = new CountingExporter({
    inner: new OTLPTraceExporter({
      ...{ url: endpoint, headers: { ...headers }, timeoutMillis: timeout, concurrencyLimit: AT_ONCE },
      ...{ compression: compression as ExporterCompression, userAgent: `sluice/${release}` },
      httpAgentOptions: () => agent,
    }),
    ...{ watch, patience: timeout + MARGIN / 2 },
    giveUp: () => agent.destroy(),
  });
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
      // Connections are not kept for a pipeline that nobody uses any more.
      agent.maxFreeSockets = 0;
      agent.destroy();
    },
  };
}

/** As the exporter would make it, with the certificates that the standard variables name. */
function agentFor(endpoint: string): HttpAgent {
  if (!endpoint.startsWith('https:')) return new HttpAgent({ keepAlive: true });
  return new HttpsAgent({
    keepAlive: true,
    ...standardFile('ca', 'CERTIFICATE'),
    ...standardFile('cert', 'CLIENT_CERTIFICATE'),
    ...standardFile('key', 'CLIENT_KEY'),
  });
}

/** @throws where the file cannot be read: without it the collector would be refused, or refuse, for no reason that could be seen. */
function standardFile(option: 'ca' | 'cert' | 'key', name: string): { readonly [option: string]: Buffer } {
  const file = process.env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || process.env[`OTEL_EXPORTER_OTLP_${name}`];
  return file ? { [option]: readFileSync(file) } : {};
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

interface CountingOptions {
  readonly inner: SpanExporter;
  readonly watch: PipelineWatch;
  /** Longest that a batch may be under way, milliseconds. */
  readonly patience: number;
  /** Ends what is under way. */
  readonly giveUp: () => void;
}

class CountingExporter implements SpanExporter {
  /** Spans that were given to the processor and have not come here yet. */
  waiting = 0;
  readonly #options: CountingOptions;
  readonly #inner: SpanExporter;

  constructor(options: CountingOptions) {
    this.#options = options;
    this.#inner = options.inner;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    const { length } = spans;
    const { watch, patience, giveUp } = this.#options;
    this.waiting -= length;
    const timer = setTimeout(giveUp, patience).unref();
    this.#inner.export(spans, (result) => {
      clearTimeout(timer);
      if (result.code === 0) watch.exported(length);
      else watch.failed(length, whyOf(result.error));
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

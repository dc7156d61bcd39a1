/**
 * What every program has: CPU, memory, descriptors, heap, event loop and garbage collection, under the names that prom-client gives them.
 *
 * `collectDefaultMetrics` is not used as a whole, for what it does to this process. Its event-loop and collection observers cannot be ended and look
 * at the loop 100 times a second (0.8 % of a core, doing nothing); its count of descriptors reads a folder of all connections while the
 * loop waits (26 ms with 19,000 of them); the loop's lag begins with garbage and includes the observer's own interval; and three gauges
 * are called `_total`, which Prometheus' linter refuses. So its harmless collectors are taken one by one, and those three are here.
 *
 * The event loop and the heap are the control plane's: worker threads have their own. CPU, memory and descriptors are the whole process'.
 * Where a figure cannot be had, as descriptors on other platforms than Linux, it is left out.
 */
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants, monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { Gauge, Histogram, Registry } from 'prom-client';
import type { Family } from './exposition.ts';
import type { Sample } from './sample.ts';

/** prom-client exports no single collector, so they are found by their files; its version is pinned, and a test names what they give. */
const COLLECTORS = [
  ...['processCpuTotal', 'processStartTime', 'osMemoryHeap', 'processMaxFileDescriptors'],
  ...['heapSizeAndUsed', 'heapSpacesSizeAndUsed', 'version'],
] as const;

/** Milliseconds between looks at the event loop: about 0.2 % of a core. */
const RESOLUTION = 50;

const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

const load = createRequire(import.meta.url);

interface Printable {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  get(): Promise<{ readonly values: readonly Sample[] }>;
}

export class ProcessMetrics {
  readonly #registry = new Registry();
  readonly #lag = monitorEventLoopDelay({ resolution: RESOLUTION });
  readonly #collections: PerformanceObserver;

  constructor() {
    for (const name of COLLECTORS) {
      const collect = load(`prom-client/lib/metrics/${name}.js`) as (registry: Registry) => void;
      collect(this.#registry);
    }
    this.#descriptors();
    this.#lagOf('mean', 'Mean lag of the event loop since the last scrape.', () => this.#lag.mean);
    this.#lagOf('p99', '99th percentile of the lag of the event loop since the last scrape.', () =>
      this.#lag.percentile(99),
    );
    // The last one: it begins anew for the next scrape.
    this.#lagOf('max', 'Largest lag of the event loop since the last scrape.', () => {
      const { max } = this.#lag;
      this.#lag.reset();
      return max;
    });
    this.#collections = this.#observeCollections();
    this.#lag.enable();
  }

  families(): Family[] {
    const metrics = this.#registry.getMetricsAsArray() as unknown as readonly Printable[];
    return metrics.map((metric) => ({
      ...{ name: metric.name, help: metric.help, type: metric.type },
      collect: async () => (await metric.get()).values,
    }));
  }

  close(): void {
    this.#lag.disable();
    this.#collections.disconnect();
  }

  #descriptors(): void {
    const gauge: Gauge = new Gauge({
      ...{ name: 'process_open_fds', help: 'Number of open file descriptors.', registers: [this.#registry] },
      collect: async () => {
        const count = await openDescriptors();
        if (count === null) gauge.reset();
        else gauge.set(count);
      },
    });
  }

  /** @param nanoseconds NaN where the loop was not looked at since the last scrape: then there is no value. */
  #lagOf(figure: string, help: string, nanoseconds: () => number): void {
    const gauge: Gauge = new Gauge({
      ...{ name: `nodejs_eventloop_lag_${figure}_seconds`, help, labelNames: [], registers: [this.#registry] },
      collect: () => {
        const seen = this.#lag.count > 0;
        const lag = nanoseconds() / 1e9 - RESOLUTION / 1e3;
        if (seen) gauge.set(Math.max(0, lag));
        else gauge.remove();
      },
    });
  }

  #observeCollections(): PerformanceObserver {
    const histogram = new Histogram({
      name: 'nodejs_gc_duration_seconds',
      help: 'Garbage collections by kind.',
      labelNames: ['kind'],
      buckets: [0.001, 0.01, 0.1],
      registers: [this.#registry],
    });
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as readonly (PerformanceEntry & { detail?: { kind?: number } })[]) {
        histogram.observe({ kind: KINDS[entry.detail?.kind ?? -1] ?? 'other' }, entry.duration / 1000);
      }
    });
    observer.observe({ entryTypes: ['gc'] });
    return observer;
  }
}

/** Newer kernels say the number as the size of the folder; else its entries are counted, off the main thread. */
async function openDescriptors(): Promise<number | null> {
  try {
    const { size } = await stat('/proc/self/fd');
    return size > 0 ? size : (await readdir('/proc/self/fd')).length - 1;
  } catch {
    return null;
  }
}

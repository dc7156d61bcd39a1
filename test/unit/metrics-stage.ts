/** A stage for the metrics: the memory of two workers, filled by hand, and what a scraper reads of it, by name and labels. */
import type { Test } from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { Metrics } from '../../src/control/metrics/metrics.ts';
import type { MetricsSources } from '../../src/control/metrics/sources.ts';
import {
  newWorkerMemory,
  VERSION_SLOTS,
  versionSlot,
  WORKER_SLOTS,
  type WorkerMemory,
} from '../../src/model/counters.ts';
import { newEndpointTable } from '../../src/model/endpoint-table.ts';
import {
  durationBucket,
  NO_VERSION,
  REQUEST_DURATION_SUM,
  REQUEST_DURATIONS,
  requestRow,
  statusSlot,
  UPSTREAM_DURATION_SUM,
  UPSTREAM_DURATIONS,
} from '../../src/model/request-table.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';

export const TWO_VERSIONS = `listen: :0
services:
  shop:
    versions:
      v1: { endpoints: [ "http://127.0.0.1:3001", "http://127.0.0.1:3002" ] }
      v2: { endpoints: [ "http://127.0.0.1:3003" ] }
    lanes: { stable: v1, canary: v2 }
    split: { weights: { v1: 90, v2: 10 } }
`;

export const compile = (text: string, previous?: Snapshot): Snapshot =>
  compileSnapshot(parseConfig(text, 'sluice.yaml', {}), (previous?.generation ?? 0) + 1, previous);

export class Stage {
  readonly memories: readonly WorkerMemory[] = [newWorkerMemory(), newWorkerMemory()];
  readonly endpoints = newEndpointTable();
  readonly metrics: Metrics;
  snapshot: Snapshot;

  constructor(t: Test, text = TWO_VERSIONS, sources: Partial<MetricsSources> = {}) {
    this.snapshot = compile(text);
    this.metrics = new Metrics({
      ...{ snapshot: this.snapshot, memories: this.memories, endpoints: this.endpoints, release: '1.2.3' },
      ...{ weights: () => new Map(), rateOverflows: () => 0, storeTrouble: () => null },
      ...{ alerts: () => [], pushed: () => [], listening: () => this.memories.length, ...sources },
    });
    t.teardown(() => this.metrics.close());
  }

  apply(text: string): void {
    this.snapshot = compile(text, this.snapshot);
    this.metrics.rowsChanged(this.snapshot);
  }

  idOf(version: string): number {
    const found = this.snapshot.services.flatMap(({ versions }) => versions).find(({ name }) => name === version);
    if (found === undefined) throw new Error(`no version ${version}`);
    return found.id;
  }

  /** One answer to a user, as a worker would record it. @param version null: the request never had one. @param ms its duration. */
  answer(version: string | null, status: number, ms = 1, count = 1, worker = 0): void {
    const { requests } = this.memories[worker]!;
    const row = requestRow(version === null ? NO_VERSION : this.idOf(version));
    add(requests, row + statusSlot(status), count);
    add(requests, row + REQUEST_DURATIONS + durationBucket(ms), count);
    add(requests, row + REQUEST_DURATION_SUM, ms * count);
  }

  /** One answered attempt. */
  attempt(version: string, status: number, ms: number, worker = 0): void {
    this.count(version, 'status1xx', 1, worker, Math.floor(status / 100) - 1);
    const { requests } = this.memories[worker]!;
    const row = requestRow(this.idOf(version));
    add(requests, row + UPSTREAM_DURATIONS + durationBucket(ms), 1);
    add(requests, row + UPSTREAM_DURATION_SUM, ms);
  }

  count(version: string, slot: keyof typeof VERSION_SLOTS, by = 1, worker = 0, further = 0): void {
    add(this.memories[worker]!.counters, versionSlot(this.idOf(version)) + VERSION_SLOTS[slot] + further, by);
  }

  countWorker(slot: keyof typeof WORKER_SLOTS, by: number, worker = 0): void {
    add(this.memories[worker]!.counters, WORKER_SLOTS[slot], by);
  }

  async scrape(accept?: string): Promise<Scrape> {
    const { body } = await this.metrics.expose(accept);
    return new Scrape(body);
  }
}

function add(array: Float64Array, slot: number, by: number): void {
  array[slot] = array[slot]! + by;
}

type Labels = Readonly<Record<string, string>>;

interface Line {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export class Scrape {
  readonly body: string;
  readonly #lines: readonly Line[];

  constructor(body: string) {
    this.body = body;
    this.#lines = body
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map(parseLine);
  }

  get names(): Set<string> {
    return new Set(this.#lines.map(({ name }) => name));
  }

  lines(name: string, labels: Labels = {}): readonly Line[] {
    const wanted = Object.entries(labels);
    return this.#lines.filter(
      (line) => line.name === name && wanted.every(([label, value]) => line.labels[label] === value),
    );
  }

  /** The only sample that has these labels, perhaps among others; null where there is none. */
  value(name: string, labels: Labels = {}): number | null {
    const found = this.lines(name, labels);
    if (found.length > 1) throw new Error(`${found.length} samples of ${name} with ${JSON.stringify(labels)}`);
    return found[0]?.value ?? null;
  }
}

/** No label value on the stage has a quote or a backslash in it. */
function parseLine(line: string): Line {
  const [, name, text = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const labels = Object.fromEntries(
    [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', content = '']) => [label, content]),
  );
  return { name, labels, value: Number(value) };
}

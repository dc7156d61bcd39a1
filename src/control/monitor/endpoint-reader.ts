/**
 * Turns the ever growing counters of one endpoint, spread over the blocks of all workers, into slices of what is new.
 *
 * The first look is at construction and yields nothing but the baseline, so that an endpoint which takes over the id of another one
 * does not inherit its past. Latency rows are read only while the attempt counts move and once more afterwards: a worker raises the
 * count and the bucket one after the other, and a look may fall between the two. Even then only the stretch of buckets that has ever
 * been in use is read, as long as it accounts for every answer; where it does not, all seven hundred are, and the stretch grows. That
 * saves a good part of a tick, since the rows of all endpoints and workers together are megabytes. Buckets are 32 bits wide and may wrap; sums and
 * differences are taken modulo 2^32, where that does no harm. A count that went down means that somebody cleared the block: the
 * reader then takes a new baseline and reports an idle slice rather than an invented one.
 */
import { ENDPOINT_SLOTS, endpointSlot, latencyRow, type WorkerMemory } from '../../model/counters.ts';
import { LATENCY_BUCKETS } from '../../model/latency-buckets.ts';
import { packLatencies, type Slice } from './slice.ts';

interface Outcomes {
  /** Answered below 500. */
  readonly good: number;
  /** Answered 500 or above. */
  readonly bad: number;
  /** Not answered. */
  readonly lost: number;
}

/** Sums and then differences, reused: one reader at a time is at work. */
const fresh = new Int32Array(LATENCY_BUCKETS);

export class EndpointReader {
  readonly #memories: readonly WorkerMemory[];
  readonly #id: number;
  readonly #buckets = new Int32Array(LATENCY_BUCKETS);
  /** The row of each worker, as signed integers: the same bits, and arithmetic that never leaves 32 of them. */
  readonly #rows: readonly Int32Array[];
  #last: Outcomes;
  #latenciesDue = false;
  /** The stretch of buckets in use, `#to` excluded; empty at first. */
  #from = LATENCY_BUCKETS;
  #to = 0;
  /** Answers whose latency has not been found yet. */
  #missing = 0;

  constructor(memories: readonly WorkerMemory[], endpointId: number) {
    this.#memories = memories;
    this.#id = endpointId;
    this.#rows = memories.map(
      ({ latencies: { buffer, byteOffset } }) =>
        new Int32Array(buffer, byteOffset + latencyRow(endpointId) * Int32Array.BYTES_PER_ELEMENT, LATENCY_BUCKETS),
    );
    this.#last = this.#outcomes();
    this.#rebaseLatencies();
  }

  /** What has come since the last call, or `idle` where nothing has. */
  read(idle: Slice): Slice {
    const now = this.#outcomes();
    const good = now.good - this.#last.good;
    const bad = now.bad - this.#last.bad;
    const lost = now.lost - this.#last.lost;
    this.#last = now;
    if (good < 0 || bad < 0 || lost < 0) {
      this.#latenciesDue = false;
      this.#rebaseLatencies();
      return idle;
    }
    const moved = good + bad + lost > 0;
    if (!moved && !this.#latenciesDue) return idle;
    this.#latenciesDue = moved;
    const latencies = this.#newLatencies(good + bad, !moved);
    if (!moved && latencies.length === 0) return idle;
    return {
      seconds: idle.seconds,
      attempts: good + bad + lost,
      answered: good + bad,
      errors: bad + lost,
      latencies,
    };
  }

  /** Each slot is read once, so that the three counts belong together however busy the workers are. */
  #outcomes(): Outcomes {
    const base = endpointSlot(this.#id);
    let good = 0;
    let bad = 0;
    let lost = 0;
    for (const { endpoints } of this.#memories) {
      good += endpoints[base + ENDPOINT_SLOTS.success]!;
      bad += endpoints[base + ENDPOINT_SLOTS.gateway]! + endpoints[base + ENDPOINT_SLOTS.error5xx]!;
      lost +=
        endpoints[base + ENDPOINT_SLOTS.connectFailures]! +
        endpoints[base + ENDPOINT_SLOTS.resets]! +
        endpoints[base + ENDPOINT_SLOTS.timeouts]! +
        endpoints[base + ENDPOINT_SLOTS.malformed]!;
    }
    return { good, bad, lost };
  }

  #newLatencies(answers: number, all: boolean): Uint16Array {
    const from = this.#from;
    const to = this.#to;
    this.#missing += answers;
    fresh.fill(0);
    this.#scan(from, to);
    if (all || this.#missing > 0) {
      this.#scan(0, from);
      this.#scan(Math.max(from, to), LATENCY_BUCKETS);
    }
    // A worker may have written a latency and not yet its count; more than one each would hide that others are missing.
    this.#missing = Math.max(this.#missing, -this.#rows.length);
    return packLatencies(fresh, this.#from, this.#to);
  }

  #rebaseLatencies(): void {
    this.#newLatencies(0, true);
    this.#from = LATENCY_BUCKETS;
    this.#to = 0;
    this.#missing = 0;
  }

  /** Puts what is new in a stretch of buckets into `fresh`. */
  #scan(from: number, to: number): void {
    const buckets = this.#buckets;
    for (const row of this.#rows) {
      for (let bucket = from; bucket < to; bucket++) fresh[bucket] = (fresh[bucket]! + row[bucket]!) | 0;
    }
    for (let bucket = from; bucket < to; bucket++) {
      const sum = fresh[bucket]!;
      const count = (sum - buckets[bucket]!) | 0;
      fresh[bucket] = count;
      if (count === 0) continue;
      buckets[bucket] = sum;
      this.#missing -= count;
      if (bucket < this.#from) this.#from = bucket;
      if (bucket >= this.#to) this.#to = bucket + 1;
    }
  }
}

/**
 * The token buckets of all rate limits, in one piece of shared memory, so that a limit holds for the process however many workers serve
 * it: a bucket per worker would let through as many times the rate as there are workers.
 *
 * The bucket is kept as GCRA (ITU-T I.371): one number, the theoretical arrival time (TAT), at which the bucket will be full again. A request
 * pushes it one interval further, and is refused where that would take it further ahead of the present than a whole burst lasts. It is the
 * same limit as counting tokens, but there is no refill to do and an idle bucket is simply one whose TAT has passed.
 *
 * TAT and the tag of the key share one 64-bit word: 44 bits of ticks and 20 bits of tag, changed by one compare-and-swap, so there is no lock that
 * a worker could die with. The word is a BigInt to `Atomics` only; it is put together and taken apart through a private array of two
 * 32-bit halves, which costs no BigInt arithmetic.
 *
 * A key has a set of 16 slots, two cache lines, chosen by its hash. It uses the slot that bears its tag, else takes over the one that has been
 * full the longest. That choice, rather than the first free slot, is what keeps two workers from opening two buckets for one new key: words
 * of a slot only ever grow, so workers whose clocks differ still agree on the oldest, and the slower one's swap fails. Where none of the 16 has
 * passed, the request is admitted and counted: a table full of other keys must not turn users away. Sets and tags make 33 bits, as many as
 * the hash of a key is worth; two keys that agree in all of them share a bucket.
 *
 * Limits. Ticks are 10 µs. Times count from the origin of the table and run out after 5.6 years, when limits stop limiting.
 *
 * Rejected: a lock per slot (a worker that is descheduled inside stops the others); 32-bit words (faster by nothing, and their time
 * wraps); one bucket per worker with a share of the rate (connections are not spread evenly, so users would be refused too early).
 *
 * @hotpath bench/micro/admit.ts
 */

export const TICKS_PER_MS = 100;

/** Longest that a bucket may take to fill, ticks (2.8 years). */
export const LONGEST_WINDOW = 2 ** 43;

const WAYS = 16;
const SETS = 8_192;
const TAG_BITS = 20;
const TIME_HIGH_BITS = 32 - TAG_BITS;
const TIME_HIGH_MASK = (1 << TIME_HIGH_BITS) - 1;
const TAG_MASK = (1 << TAG_BITS) - 1;
const TWO_32 = 2 ** 32;

/** One cache line in front, so that every set begins with one. Its first eight bytes are the origin, the next four the overflows. */
const HEADER_BYTES = 64;
const OVERFLOWS = 2;

/** Memory of a table, 1 MiB, for the workers. @param now process-wide milliseconds; times before it count as it. */
export function newRateMemory(now: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(HEADER_BYTES + SETS * WAYS * BigInt64Array.BYTES_PER_ELEMENT);
  new Float64Array(memory, 0, 1)[0] = now;
  return memory;
}

/** One thread's view of the memory. */
export class RateTable {
  readonly #origin: number;
  readonly #header: Int32Array;
  readonly #words: BigInt64Array;
  /** The same memory in halves. Which half is which is settled by `#half`, so the byte order does not matter. */
  readonly #halves: Uint32Array;
  /** The word in hand, and its halves: low ticks; tag and high ticks. */
  readonly #word = new BigInt64Array(1);
  readonly #half = new Uint32Array(this.#word.buffer);

  constructor(memory: SharedArrayBuffer) {
    this.#origin = new Float64Array(memory, 0, 1)[0]!;
    this.#header = new Int32Array(memory, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#words = new BigInt64Array(memory, HEADER_BYTES);
    this.#halves = new Uint32Array(memory, HEADER_BYTES);
  }

  /** Requests of all threads that were admitted because there was no room for their key; modulo 2^32. */
  get overflows(): number {
    return Atomics.load(this.#header, OVERFLOWS) >>> 0;
  }

  /**
   * Takes one token.
   *
   * @param set, tag two hashes of the key, 32 bits each. @param now process-wide milliseconds. @param step ticks that a token takes to
   * come back. @param window ticks that the whole bucket takes.
   * @returns 0 where there was a token, else the ticks until there is one.
   */
  take(set: number, tag: number, now: number, step: number, window: number): number {
    const words = this.#words;
    const half = this.#half;
    const first = (set & (SETS - 1)) * WAYS;
    // Tag 0 is that of slots never used.
    const mark = tag & TAG_MASK || 1;
    const time = Math.max(0, Math.floor((now - this.#origin) * TICKS_PER_MS));
    for (;;) {
      let slot = this.#find(first, mark);
      if (slot < 0) slot = this.#oldest(first, mark, time);
      if (slot < 0) {
        Atomics.add(this.#header, OVERFLOWS, 1);
        return 0;
      }
      const before = Atomics.load(words, slot);
      this.#word[0] = before;
      const full = ticksOf(half);
      // Another worker has given the slot to another key since we looked.
      if (half[1]! >>> TIME_HIGH_BITS !== mark && full > time) continue;
      const next = (full > time ? full : time) + step;
      const early = next - time - window;
      if (early > 0) return early;
      half[0] = next % TWO_32;
      half[1] = (mark << TIME_HIGH_BITS) | ((next / TWO_32) & TIME_HIGH_MASK);
      if (Atomics.compareExchange(words, slot, before, this.#word[0]!) === before) return 0;
    }
  }

  /** The slot with this tag, -1 where there is none. Plain reads: `take` looks again. */
  #find(first: number, mark: number): number {
    const halves = this.#halves;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (halves[2 * slot + 1]! >>> TIME_HIGH_BITS === mark) return slot;
    }
    return -1;
  }

  /**
   * The slot that has been full the longest, the first of equals; -1 where none is full. The slot with the tag where it has turned up
   * since `#find` looked: to see all of the set and miss it, and then choose, would be to open a second bucket.
   */
  #oldest(first: number, mark: number, time: number): number {
    let oldest = -1;
    let least = time + 1;
    for (let slot = first; slot < first + WAYS; slot++) {
      // An aligned 64-bit load is not torn on any platform that Node supports.
      this.#word[0] = this.#words[slot]!;
      if (this.#half[1]! >>> TIME_HIGH_BITS === mark) return slot;
      const full = ticksOf(this.#half);
      if (full >= least) continue;
      least = full;
      oldest = slot;
    }
    return oldest;
  }
}

const ticksOf = (half: Uint32Array): number => (half[1]! & TIME_HIGH_MASK) * TWO_32 + half[0]!;

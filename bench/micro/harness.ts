/**
 * Times a function in a loop: warm-up, then the median of several rounds, in nanoseconds per call.
 *
 * Micro-benchmarks compare two states of one function on one machine; their figures say nothing about a proxied request, which is
 * what `npm run bench` measures.
 */
const ROUNDS = 9;
const ROUND_MS = 60;

export interface MicroBenchmark {
  readonly name: string;
  /** Runs the code under test once; what it returns is kept, so that it cannot be optimised away. */
  run(): unknown;
}

let sink: unknown;

const runFor = (benchmark: MicroBenchmark, ms: number): number => {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < 256; i++) sink = benchmark.run();
    calls += 256;
    elapsed = performance.now() - start;
  } while (elapsed < ms);
  return (elapsed * 1e6) / calls;
};

/** Nanoseconds per call, median of the rounds. */
export function measure(benchmark: MicroBenchmark): number {
  runFor(benchmark, 3 * ROUND_MS);
  const rounds = Array.from({ length: ROUNDS }, () => runFor(benchmark, ROUND_MS)).sort((a, b) => a - b);
  if (sink === undefined) sink = null;
  return rounds[ROUNDS >> 1]!;
}

export function report(benchmarks: readonly MicroBenchmark[]): void {
  for (const benchmark of benchmarks) {
    console.log(`${benchmark.name.padEnd(56)} ${measure(benchmark).toFixed(1).padStart(10)} ns`);
  }
}

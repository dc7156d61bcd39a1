/**
 * Pushed metrics as conditions see them: the last value of each, as long as it is fresh.
 *
 * A push is a figure that somebody has worked out over a time of their own choice, so a condition's window does not apply to it: the last
 * value counts, and one older than STALE counts as none, because a job that stopped pushing must hold a step and not pass it with
 * what it said an hour ago. Samples are the pushes seen, looked for once a second: two within a second are one.
 */
import type { MetricValue } from './verdict.ts';

/** Milliseconds after which a pushed value says nothing any more. */
export const STALE = 10 * 60_000;

export type PushedValues = Readonly<Record<string, { readonly value: number; readonly at: string }>>;

export interface PushedReadingsOptions {
  /** By version name. */
  readonly pushed: (version: string) => PushedValues;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

export class PushedReadings {
  readonly #options: PushedReadingsOptions;
  /** Time of the last push and number of pushes, by version and metric. */
  readonly #seen = new Map<string, { readonly at: string; readonly pushes: number }>();

  constructor(options: PushedReadingsOptions) {
    this.#options = options;
  }

  /** Looks for new pushes. */
  note(versions: readonly string[]): void {
    for (const version of versions) {
      for (const [metric, { at }] of Object.entries(this.#options.pushed(version))) this.#count(version, metric, at);
    }
  }

  read(metric: string, version: string): MetricValue {
    const values = this.#options.pushed(version);
    const latest = Object.hasOwn(values, metric) ? values[metric] : undefined;
    if (latest === undefined) {
      return { value: null, samples: 0, error: null, note: `nothing was pushed for ${version}` };
    }
    const samples = this.#count(version, metric, latest.at);
    const age = this.#options.wallClock() - Date.parse(latest.at);
    if (age <= STALE) return { value: latest.value, samples, error: null };
    const note = `the last push for ${version} was ${Math.floor(age / 60_000)} minutes ago`;
    return { value: null, samples, error: null, note };
  }

  #count(version: string, metric: string, at: string): number {
    const key = `${version}\n${metric}`;
    const seen = this.#seen.get(key);
    if (seen?.at === at) return seen.pushes;
    const pushes = (seen?.pushes ?? 0) + 1;
    this.#seen.set(key, { at, pushes });
    return pushes;
  }
}

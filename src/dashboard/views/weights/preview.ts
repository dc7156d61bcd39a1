/**
 * What other weights would do, in sentences: how many requests move, and what speaks for thinking twice.
 *
 * Requests are those of the last ten seconds; where none came, or too little is known yet, the sentence says so and no number is made up. A warning never forbids:
 * taking all traffic to a version of which nothing is up is a mistake nearly always, and the right thing in some drill.
 */
import type { ServiceView } from '../../api/views.ts';
import { number, percent } from '../../format.ts';
import { keyOf, ratesAt, type Samples } from '../../state/samples.ts';
import type { Weights } from './edit.ts';

/** Seconds over which rates are taken. */
const SPAN = 10;
/** Percent of failed attempts from which more traffic to a version is worth a warning. */
const FAILS = 1;
/** Points in one step from which a version that had nothing gets a warning. */
const LARGE = 50;

export interface Difference {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Points. */
  readonly by: number;
}

/** Versions whose weight is another, the largest gain first. */
export const differences = (from: Weights, to: Weights): Difference[] =>
  Object.keys({ ...from, ...to })
    .map((name) => ({ name, from: from[name] ?? 0, to: to[name] ?? 0 }))
    .map((each) => ({ ...each, by: Math.round((each.to - each.from) * 100) / 100 }))
    .filter(({ by }) => by !== 0)
    .sort((a, b) => b.by - a.by);

/** Requests per second of the whole service; null where it cannot be known yet. */
export function requestRate(service: ServiceView, samples: Samples): number | null {
  const rates = service.versions.map(({ name }) => ratesOf(service, name, samples));
  return rates.every((rate) => rate === null) ? null : rates.reduce((sum, rate) => sum + (rate?.requests ?? 0), 0);
}

/** One sentence. @param rate requests per second, null where unknown. */
export function consequence(from: Weights, to: Weights, rate: number | null): string {
  const gains = differences(from, to).filter(({ by }) => by > 0);
  if (gains.length === 0) return 'Nothing would move: these are the weights that run.';
  const points = gains.map(({ name, by }) => `${number(by, 2)} point${by === 1 ? '' : 's'} to ${name}`);
  if (rate === null) return `${listed(points)} would move; how many requests come is not measured yet.`;
  if (rate === 0) return `${listed(points)} would move. No requests come at the moment.`;
  const of = `of ${requests(rate)} requests per second would move`;
  const [only] = gains;
  if (only !== undefined && gains.length === 1)
    return `About ${requests((rate * only.by) / 100)} ${of} to ${only.name}.`;
  return `About ${listed(gains.map(({ name, by }) => `${requests((rate * by) / 100)} to ${name}`))} ${of}.`;
}

/** Sentences, the worst first. */
export function warnings(service: ServiceView, from: Weights, to: Weights, samples: Samples): string[] {
  const { lanes, versions } = service;
  const down: string[] = [];
  const failing: string[] = [];
  const large: string[] = [];
  for (const { name, endpoints } of versions) {
    const weight = to[name] ?? 0;
    const gained = weight - (from[name] ?? 0);
    if (weight > 0 && !endpoints.some(({ available }) => available)) {
      const goes =
        name === lanes.stable ? 'its requests are answered with 503.' : `its requests go to ${lanes.stable} instead.`;
      down.push(`${endpoints.length === 0 ? `${name} has no endpoint` : `No endpoint of ${name} is up`}: ${goes}`);
    }
    if (gained <= 0) continue;
    const { failed = null } = ratesOf(service, name, samples) ?? {};
    if (failed !== null && failed >= FAILS)
      failing.push(`${name} fails ${percent(failed)} of its attempts at the moment.`);
    if (name !== lanes.stable && weight < 100 && gained >= LARGE) {
      large.push(`${name} goes from ${share(from[name] ?? 0)} to ${share(weight)} in one step.`);
    }
  }
  const stable = to[lanes.stable] ?? 0;
  const emptied = stable === 0 && (from[lanes.stable] ?? 0) > 0;
  const all = emptied
    ? [`${lanes.stable}, the stable version, gets nothing more: there is nothing left to compare with.`]
    : [];
  return [...down, ...failing, ...all, ...large];
}

const ratesOf = (service: ServiceView, version: string, samples: Samples): ReturnType<typeof ratesAt> =>
  ratesAt(samples.get(keyOf(service.name, version)) ?? [], undefined, SPAN);

const requests = (rate: number): string => (rate < 1 ? number(rate, 2) : number(rate, rate < 10 ? 1 : 0));

const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** With both decimals, because 99.99 % is not everything. @param value percent. */
export const share = (value: number): string => `${number(value, 2)} %`;

/** `v1 60 %, v2 40 %`; what has nothing is left out. */
export const told = (weights: Weights): string =>
  Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .map(([name, weight]) => `${name} ${share(weight)}`)
    .join(', ');

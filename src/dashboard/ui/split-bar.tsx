/**
 * How the traffic of a service is split, as one bar: what each version gets now, with a mark where its weight says it should end.
 *
 * Without traffic the bar shows the weights, paler: there is nothing to see yet, but what will come is known.
 */
import type { JSX } from 'preact';
import type { ServiceView } from '../api/views.ts';
import { percent } from '../format.ts';
import { keyOf, ratesAt, type Samples } from '../state/samples.ts';

/** Seconds over which the share is taken. */
const SPAN = 10;

export interface Share {
  readonly name: string;
  readonly lane: 'stable' | 'canary' | 'candidate' | null;
  readonly weight: number;
  /** Percent of the requests; null without any. */
  readonly actual: number | null;
}

export function sharesOf(service: ServiceView, samples: Samples): Share[] {
  const rates = service.versions.map(
    (version) => ratesAt(samples.get(keyOf(service.name, version.name)) ?? [], undefined, SPAN)?.requests ?? 0,
  );
  const all = rates.reduce((sum, rate) => sum + rate, 0);
  return service.versions.map(({ name, lane, weight }, index) => ({
    ...{ name, lane, weight },
    actual: all > 0 ? (100 * (rates[index] ?? 0)) / all : null,
  }));
}

export function SplitBar({ shares }: { readonly shares: readonly Share[] }): JSX.Element {
  const label = shares.map(({ name, weight, actual }) => `${name} ${percent(actual ?? weight)}`).join(', ');
  const idle = shares.every(({ actual }) => actual === null);
  let end = 0;
  return (
    <div class={`split-bar ${idle ? 'idle' : ''}`} role="img" aria-label={`Traffic: ${label}`}>
      {shares.map(({ name, lane, weight, actual }) => (
        <div
          key={name}
          class={`split-part lane-${lane ?? 'none'}`}
          style={{ flexGrow: actual ?? weight }}
          title={`${name}: ${percent(actual ?? weight)}, weight ${percent(weight)}`}
        >
          {(actual ?? weight) >= 8 && <span>{percent(Math.round(actual ?? weight))}</span>}
        </div>
      ))}
      {shares.map(({ name, weight }) => {
        end += weight;
        if (end <= 0 || end >= 100) return null;
        return <i key={name} class="split-mark" style={{ left: `${end}%` }} aria-hidden="true" />;
      })}
    </div>
  );
}

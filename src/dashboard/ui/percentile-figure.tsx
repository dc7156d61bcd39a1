/**
 * A percentile of the latency, of the canary with how much it differs from stable's.
 */
import type { JSX } from 'preact';
import { latency } from '../format.ts';
import { Figure } from './panel.tsx';
import { besideStable, difference } from './slower.ts';

export interface PercentileFigureProps {
  readonly name: string;
  /** Milliseconds. */
  readonly own: number | null;
  /** Stable's; null for stable itself, and where there is none. */
  readonly stable: number | null;
  /** Requests behind it, of the side that has fewer; left out: enough to compare. */
  readonly requests?: number;
}

export function PercentileFigure({ name, own, stable, requests }: PercentileFigureProps): JSX.Element {
  const beside = besideStable(own, stable, requests);
  return (
    <Figure
      label={name}
      value={latency(own)}
      note={beside === null ? undefined : difference(beside.more)}
      tone={beside?.isSlower === true ? 'warn' : undefined}
    />
  );
}

/**
 * A thin bar from nothing to all of it.
 *
 * It is nothing to a screen reader and its colour says nothing alone: there are always words beside it that say the same.
 */
import type { JSX } from 'preact';

export interface MeterProps {
  /** 0 to 1. */
  readonly value: number;
  readonly tone?: 'bad' | 'warn' | 'good' | undefined;
  /** Name of a CSS variable, in place of a tone. */
  readonly color?: string;
}

export const Meter = ({ value, tone, color }: MeterProps): JSX.Element => (
  <span class={`meter ${tone === undefined ? '' : `meter-${tone}`}`} aria-hidden="true">
    <i
      style={{
        width: `${(100 * Math.min(1, Math.max(0, value))).toFixed(1)}%`,
        ...(tone === undefined && color !== undefined && { background: `var(${color})` }),
      }}
    />
  </span>
);

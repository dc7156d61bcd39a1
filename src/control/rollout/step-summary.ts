/**
 * A step in one line, for lists and reports: what it does, not how it is written. `20 % for 15m`, `to 100 % by 20 % every 5m`, `pause for approval`.
 *
 * Of an address only the host is told, since its path and query often are the password.
 */
import type { StepConfig } from '../../model/rollout-config.ts';
import { formatDuration } from '../config/units.ts';

export function stepSummary(step: StepConfig): string {
  switch (step.kind) {
    case 'weight':
      return step.for === 0 ? `${step.weight} %` : `${step.weight} % for ${formatDuration(step.for)}`;
    case 'ramp':
      return `to ${step.to} % by ${step.by} % every ${formatDuration(step.every)}`;
    case 'pause':
      if (step.until === 'approval') return 'pause for approval';
      return step.until === 'manual' ? 'pause until resumed' : `pause for ${formatDuration(step.until.ms)}`;
    case 'preflight':
      return `preflight: ${checks(step).join(', ')}`;
    case 'webhook':
      return `ask ${new URL(step.url).host}`;
    case 'analysis':
      return `analysis for ${formatDuration(step.for)}`;
    case 'override':
      return `override ${step.on ? 'on' : 'off'}`;
  }
}

function checks({ health, warmUp, smoke }: StepConfig & { kind: 'preflight' }): string[] {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  return [
    ...(health ? ['health'] : []),
    ...(warmUp === null ? [] : [count(warmUp.requests, 'warm-up request')]),
    ...(smoke.length === 0 ? [] : [count(smoke.length, 'smoke test')]),
  ];
}

/**
 * A rollout in a line or two: below every change, and at its end. What the server calls things is said in its words; the rest is only where to
 * look next.
 */
import type { Phase } from '../../control/rollout/rollout.ts';
import type { RolloutSummary } from '../../control/rollout/view.ts';
import { share } from '../client/format.ts';
import { printable } from '../client/printable.ts';
import type { Paint, Tone } from '../client/table.ts';

const TONES: Readonly<Record<Phase, Tone>> = {
  Queued: 'faint',
  Preflight: 'strong',
  Progressing: 'good',
  Paused: 'warning',
  Promoting: 'good',
  Succeeded: 'good',
  RollingBack: 'bad',
  RolledBack: 'bad',
  Failed: 'bad',
};

/** A phase that a newer server knows has no colour of its own. */
export const phaseTone = (phase: Phase): Tone => TONES[phase] ?? 'strong';

/** `Rollout r-1 of shop: v2 against v1, strategy standard, step 2 of 4, 20 %: Progressing`. */
export function summaryText(summary: RolloutSummary, paint: Paint): string {
  const { id, service, version, stable, strategy, phase, step, stepCount, weight } = summary;
  const place = step === 0 ? `${stepCount} steps` : `step ${step} of ${stepCount}, ${share(weight)}`;
  const text = `Rollout ${id} of ${service}: ${version} against ${stable}, strategy ${strategy}, ${place}`;
  return `${printable(text)}: ${paint(printable(phase), phaseTone(phase))}\n${noteText(summary)}`;
}

function noteText({ waiting, outcome }: RolloutSummary): string {
  const note = outcome ?? waiting;
  return note === null ? '' : `${printable(note)}\n`;
}

/** How it ended, with the question that comes next. */
export function endText({ id, phase, outcome }: RolloutSummary, paint: Paint): string {
  const line = `${paint(printable(phase), phaseTone(phase))}${outcome === null ? '' : `: ${printable(outcome)}`}\n`;
  return phase === 'Succeeded' ? line : `${line}What was known then: sluice rollout why ${printable(id)}\n`;
}

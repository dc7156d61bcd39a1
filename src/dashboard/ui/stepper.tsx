/**
 * The steps of a rollout or a strategy in a row, the present one with how far it is. On a phone they stand below each other.
 *
 * What has become of a step is said by a sign and a word; the colour of the bar only says it faster. Steps wrap into further rows where there are many, so nothing
 * has to be scrolled sideways.
 */
import type { JSX } from 'preact';
import type { RolloutView, StepView } from '../api/views.ts';
import { duration } from '../format.ts';

type Soak = RolloutView['soak'];

const SIGNS: Readonly<Record<StepView['state'], string>> = {
  ...{ done: '✓', current: '▸', skipped: '»', failed: '✕', pending: '○' },
};

export interface StepperProps {
  readonly steps: readonly Pick<StepView, 'name' | 'summary' | 'state'>[];
  readonly soak: Soak;
  /** What the present step is doing: `now`, `paused`. */
  readonly present: string;
  /** Whether nothing follows any more, so that what has not begun never will. */
  readonly over: boolean;
}

export function Stepper({ steps, soak, present, over }: StepperProps): JSX.Element {
  return (
    <ol class="steps">
      {steps.map(({ name, summary, state }, index) => (
        <li
          key={`${index} ${name}`}
          class={`step step-${state}`}
          aria-current={state === 'current' ? 'step' : undefined}
        >
          <span class="step-bar" style={{ '--done': doneOf(state, soak) }} aria-hidden="true">
            <i />
          </span>
          <b class="step-name">
            <span class="step-sign" aria-hidden="true">
              {SIGNS[state]}
            </span>
            {name}
          </b>
          <span class="step-summary">{summary}</span>
          <span class="step-state">{state === 'current' ? currentWords(present, soak) : wordOf(state, over)}</span>
        </li>
      ))}
    </ol>
  );
}

/** Only the bars, for a panel that has a line of words beside it. */
export const StepBars = ({ steps, soak }: Pick<StepperProps, 'steps' | 'soak'>): JSX.Element => (
  <div class="step-bars" aria-hidden="true">
    {steps.map(({ name, state }, index) => (
      <span key={`${index} ${name}`} class={`step-bar step-${state}`} style={{ '--done': doneOf(state, soak) }}>
        <i />
      </span>
    ))}
  </div>
);

export function soakWords(soak: Soak): string | null {
  if (soak === null || soak.for <= 0) return null;
  return soak.left <= 0 ? 'its time is over' : `${duration(soak.left)} of ${duration(soak.for)} left`;
}

function currentWords(present: string, soak: Soak): string {
  const words = soakWords(soak);
  return words === null ? present : `${present}, ${words}`;
}

function wordOf(state: StepView['state'], over: boolean): string {
  if (state === 'pending') return over ? 'not reached' : 'to come';
  return state;
}

function doneOf(state: StepView['state'], soak: Soak): number {
  if (state === 'pending') return 0;
  if (state !== 'current' || soak === null || soak.for <= 0) return 1;
  return Math.min(1, soak.soaked / soak.for);
}

/**
 * Weights as a bar, and two of them as before and after.
 *
 * Unlike the bar of the traffic it has no measured shares and no marks: it shows what is meant to be. What is too narrow for its name has it on the pointer, and
 * the whole is told in words.
 */
import type { JSX } from 'preact';
import type { ServiceView } from '../../api/views.ts';
import type { Weights } from './edit.ts';
import { differences, share } from './preview.ts';

export interface WeightBarProps {
  readonly service: Pick<ServiceView, 'versions'>;
  readonly weights: Weights;
  /** What these weights are: `now`, `new`. */
  readonly label: string;
}

export function WeightBar({ service, weights, label }: WeightBarProps): JSX.Element {
  const parts = service.versions.filter(({ name }) => (weights[name] ?? 0) > 0);
  const told = parts.map(({ name }) => `${name} ${share(weights[name] ?? 0)}`).join(', ');
  return (
    <div class="weight-bar">
      <span class="weight-bar-label" aria-hidden="true">
        {label}
      </span>
      <div class="split-bar" role="img" aria-label={`${label}: ${told}`}>
        {parts.map(({ name, lane }) => (
          <div
            key={name}
            class={`split-part lane-${lane ?? 'none'}`}
            style={{ flexGrow: weights[name] ?? 0 }}
            title={`${name} ${share(weights[name] ?? 0)}`}
          >
            {(weights[name] ?? 0) >= 14 && `${name} ${share(weights[name] ?? 0)}`}
          </div>
        ))}
      </div>
    </div>
  );
}

export interface BeforeAfterProps {
  readonly service: Pick<ServiceView, 'versions'>;
  readonly from: Weights;
  readonly to: Weights;
  /** One sentence. */
  readonly consequence: string;
  readonly warnings: readonly string[];
}

export const BeforeAfter = ({ service, from, to, consequence, warnings }: BeforeAfterProps): JSX.Element => (
  <div class="before-after">
    <WeightBar service={service} weights={from} label="now" />
    <WeightBar service={service} weights={to} label="new" />
    <p>{consequence}</p>
    {warnings.length > 0 && (
      <ul class="warnings">
        {warnings.map((warning) => (
          <li key={warning}>
            <span aria-hidden="true">!</span> {warning}
          </li>
        ))}
      </ul>
    )}
  </div>
);

/** The same in a question, with each change in numbers. */
export const ChangeList = ({ from, to }: { readonly from: Weights; readonly to: Weights }): JSX.Element => (
  <ul class="change-list">
    {differences(from, to).map(({ name, from: before, to: after }) => (
      <li key={name}>
        <b>{name}</b> {share(before)} <span aria-hidden="true">→</span>
        <span class="visually-hidden">to</span> {share(after)}
      </li>
    ))}
  </ul>
);

/**
 * One version's weight: a slider in whole points for the hand, a field in hundredths for those who know the number.
 *
 * While a number is typed the field shows what was typed, also where that is no weight yet; when it is left it shows the weight.
 */
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { ServiceView, VersionView } from '../../api/views.ts';
import { number } from '../../format.ts';
import { VersionMark } from '../../ui/badges.tsx';
import type { Weights } from './edit.ts';
import { share } from './preview.ts';

export interface WeightRowProps {
  readonly version: VersionView;
  readonly value: number;
  /** What runs. */
  readonly runs: number;
  /** What the file says; null where that is not known, undefined where it does not know the version. */
  readonly file: number | null | undefined;
  readonly onMove: (name: string, value: number) => void;
}

export function WeightRow({ version, value, runs, file, onMove }: WeightRowProps): JSX.Element {
  const { name, lane } = version;
  const [text, setText] = useState<string | null>(null);
  const id = useId();
  const wrong = text !== null && weightOf(text) === null;
  const by = Math.round((value - runs) * 100) / 100;
  const type = (typed: string): void => {
    setText(typed);
    const weight = weightOf(typed);
    if (weight !== null) onMove(name, weight);
  };
  const candidate = lane === 'candidate';
  return (
    <div class={`weight-row lane-${lane ?? 'none'}`}>
      <VersionMark name={name} lane={lane} />
      <input
        class="weight-slider"
        type="range"
        min="0"
        max="100"
        step="1"
        value={value}
        disabled={candidate}
        aria-label={`Weight of ${name}`}
        aria-valuetext={share(value)}
        style={{ '--part': value / 100 }}
        onInput={(event) => onMove(name, Number(event.currentTarget.value))}
      />
      <span class="weight-field">
        <input
          type="number"
          inputMode="decimal"
          min="0"
          max="100"
          step="0.01"
          value={text ?? value}
          disabled={candidate}
          aria-label={`Weight of ${name}, percent`}
          aria-invalid={wrong}
          aria-describedby={id}
          onInput={(event) => type(event.currentTarget.value)}
          onBlur={() => setText(null)}
        />
        <span aria-hidden="true">%</span>
      </span>
      <span class="weight-note" id={id}>
        {candidate ? (
          'A candidate gets no weight; only who names it in a header reaches it.'
        ) : wrong ? (
          <span class="text-bad">A number from 0 to 100</span>
        ) : (
          <>
            runs {share(runs)}
            {file === undefined ? ' · not in the file' : file !== null && ` · file ${share(file)}`}
            {by !== 0 && (
              <b class="weight-by">
                {' '}
                · {by > 0 ? '+' : '−'}
                {number(Math.abs(by), 2)} {Math.abs(by) === 1 ? 'point' : 'points'}
              </b>
            )}
          </>
        )}
      </span>
    </div>
  );
}

function weightOf(text: string): number | null {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return value >= 0 && value <= 100 ? value : null;
}

const QUICK = [0, 1, 5, 10, 25, 50, 100];

export interface QuickWeightsProps {
  readonly service: ServiceView;
  readonly weights: Weights;
  readonly onMove: (name: string, value: number) => void;
}

/** The usual steps of a canary; without a canary lane, of the only other version. */
export function QuickWeights({ service, weights, onMove }: QuickWeightsProps): JSX.Element | null {
  const { lanes, versions } = service;
  const others = versions.filter(({ name }) => name !== lanes.stable && name !== lanes.candidate);
  const name = lanes.canary ?? (others.length === 1 ? others[0]?.name : undefined);
  if (name === undefined) return null;
  return (
    <fieldset class="quick">
      <legend>{lanes.canary === undefined ? name : 'Canary'} to</legend>
      {QUICK.map((value) => (
        <button
          key={value}
          type="button"
          class="button"
          aria-pressed={weights[name] === value}
          aria-label={`${name} to ${value} %`}
          onClick={() => onMove(name, value)}
        >
          {value} %
        </button>
      ))}
    </fieldset>
  );
}

/**
 * A choice among a few things, with its name above it; for filters without room the name is only told to screen readers.
 */
import type { JSX } from 'preact';

export interface SelectFieldProps {
  readonly label: string;
  readonly value: string;
  /** Those whose words are not what they are, as a pair. */
  readonly options: readonly (string | readonly [value: string, words: string])[];
  readonly choose: (value: string) => void;
  /** Without visible name. */
  readonly compact?: boolean;
}

export const SelectField = ({ label, value, options, choose, compact = false }: SelectFieldProps): JSX.Element => (
  <label class={compact ? 'filter' : 'field'}>
    <span class={compact ? 'visually-hidden' : ''}>{label}</span>
    <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
      {options.map((option) => {
        const [each, words] = typeof option === 'string' ? [option, option] : option;
        return (
          <option key={each} value={each}>
            {words}
          </option>
        );
      })}
    </select>
  </label>
);

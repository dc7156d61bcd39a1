/**
 * Figures in sentences and tables about rollouts: counts, shares, times and e-values as people read them.
 *
 * Each has its unit and no more digits than it is worth, and what was not measured is a dash, never a 0. An e-value is kept as its natural
 * logarithm, since it soon outgrows what a number can hold; people are told the value itself up to a million million.
 */
const COUNTS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const SHARES = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });
const ODDS = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const VALUES = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

export const NOTHING = '–';

export const count = (value: number): string => COUNTS.format(value);

/** A count with its noun: `1 step`, `4 steps`. */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** With the two decimals that weights have, and of less than 1 % what is needed not to be 0. */
export const percent = (value: number): string => `${(value < 1 ? VALUES : SHARES).format(value)} %`;

/** @returns a dash where the whole is nothing. */
export const shareOf = (part: number, whole: number): string => (whole === 0 ? NOTHING : percent((100 * part) / whole));

export const latency = (value: number | null): string => (value === null ? NOTHING : `${VALUES.format(value)} ms`);

const MANY = 12 * Math.LN10;

/** The e-value of a logarithm, as in the messages of the tests: `3,318`, `0.4`, `10^14`. */
export function eValue(logE: number): string {
  if (logE >= MANY) return `10^${count(Math.floor(logE / Math.LN10))}`;
  const value = Math.exp(logE);
  if (value >= 10) return count(Math.floor(value + 1e-9));
  return value < 0.001 ? 'under 0.001' : ODDS.format(value);
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** `38 ms`, `12.3 s`, `10 min 5 s`, `2 h 5 min`: the two largest units. @param ms a span; below 0 it counts as 0. */
export function span(ms: number): string {
  if (ms < 1000) return `${count(Math.max(0, ms))} ms`;
  if (ms < 60_000) return `${VALUES.format(ms / 1000)} s`;
  const at = UNITS.findIndex(([, length]) => ms >= length);
  const [unit, length] = UNITS[at]!;
  const [smaller, step] = UNITS[at + 1] ?? UNITS[at]!;
  const whole = Math.floor(ms / length);
  const rest = Math.floor((ms - whole * length) / step);
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller}`;
}

/** Two sentences are told apart by a full stop, whoever wrote the first one. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.?!…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

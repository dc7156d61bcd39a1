/**
 * Words for what the API says in its own: sentences with their full stop, e-values, values of metrics, and what a person is to understand by a test's name.
 *
 * An e-value comes as its natural logarithm, since it soon outgrows what a number can hold. People are told the value itself up to a million million, and JSON,
 * which knows no infinity, has null where it is without end.
 */
import type { ConditionResult, EvidenceReading, TestReading } from '../../api/views.ts';
import { latency, NOTHING, number, percent, rate } from '../../format.ts';

/** With its full stop, and a capital where it begins with a word: names of versions, metrics and people are left as they are. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const whole = /[.?!…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return /^[a-z]+[ ,.'’]/.test(whole) ? whole.charAt(0).toUpperCase() + whole.slice(1) : whole;
}

const MANY = 12 * Math.LN10;

/** `3,152`, `0.21`, `10^14`. */
export function eValue(logE: number): string {
  if (!Number.isFinite(logE)) return 'without end';
  if (logE >= MANY) return `10^${Math.floor(logE / Math.LN10)}`;
  const value = Math.exp(logE);
  if (value >= 10) return number(Math.floor(value + 1e-9), 0);
  return value < 0.001 ? 'under 0.001' : value.toLocaleString('en-US', { maximumSignificantDigits: 2 });
}

/** What is there of what is needed, 0 to 1: nothing below even odds, and all of it once it has crossed. */
export function strengthOf({ state, logE, threshold }: Pick<TestReading, 'state' | 'logE' | 'threshold'>): number {
  if (state === 'crossed' || !Number.isFinite(logE)) return 1;
  return threshold === null || threshold <= 0 ? 0 : Math.min(1, Math.max(0, logE / threshold));
}

export interface TestWords {
  readonly title: string;
  /** For a chart. */
  readonly short: string;
  readonly color: string;
}

export const TEST_WORDS: Readonly<Record<TestReading['test'], TestWords>> = {
  errors: { title: 'Fails more than stable', short: 'fails', color: '--test-errors' },
  slo: { title: 'Fails more than it may at all', short: 'over its SLO', color: '--test-slo' },
  latency: { title: 'Slower than stable', short: 'slower', color: '--test-latency' },
  ratio: { title: 'Clients give up on it more than on stable', short: 'given up', color: '--test-ratio' },
};

export const TEST_STATES: Readonly<Record<TestReading['state'], string>> = {
  off: 'off',
  blind: 'cannot see now',
  watching: 'watching',
  crossed: 'enough',
};

/** A condition's value in the unit of its metric; of a metric of somebody's own, in the one that the condition is written in. */
export function conditionValue(
  { metric, condition }: Pick<ConditionResult, 'metric' | 'condition'>,
  value: number | null,
): string {
  if (value === null) return NOTHING;
  if (/^(error_rate|success_rate|availability|health_score)$/.test(metric)) return percent(value);
  if (/^p\d+$/.test(metric)) return latency(value);
  if (metric === 'throughput') return rate(value);
  if (/\d\s*%/.test(condition)) return percent(value);
  return /\d\s*m?s\b/.test(condition) ? latency(value) : number(value);
}

export interface Note {
  readonly tone: 'good' | 'warn';
  readonly text: string;
}

/** What else is to be said of evidence, beside its tests. */
export function evidenceNotes({ bothFail, mismatch, proof }: EvidenceReading): Note[] {
  const notes: Note[] = [];
  if (bothFail) notes.push({ tone: 'warn', text: 'Stable fails as well, so the canary alone is not to blame.' });
  if (mismatch !== null)
    notes.push({ tone: 'warn', text: `The split cannot be trusted: ${sentence(mismatch.message)}` });
  if (proof?.proved === true) notes.push({ tone: 'good', text: 'It is proved to fail less often than it may.' });
  return notes;
}

/** `1 request`, `1,204 requests`. */
export const plural = (count: number, noun: string): string => `${number(count)} ${noun}${count === 1 ? '' : 's'}`;

/** Percent; null of nothing. */
export const shareOf = (part: number, whole: number): number | null => (whole > 0 ? (100 * part) / whole : null);

/** Whether it is over, so that nothing is measured any more. */
export const isOver = (phase: string): boolean => phase === 'Succeeded' || phase === 'RolledBack' || phase === 'Failed';

/**
 * The conditions of strategies: `METRIC OP VALUE [over WINDOW]`, where VALUE is a number or stable's own value, changed by some amount.
 *
 *     error_rate < 0.5%                       p95 <= baseline * 1.2
 *     error_rate <= baseline + 0.1% over 5m   task_success_rate >= 98%
 *
 * The proxy's own metrics have units, and a value must be in the one of its metric: shares are percent with or without the sign, latencies are
 * durations with theirs, throughput is a rate. `==` and `!=` do not exist for them: a measured number hardly ever equals another one, so such a
 * condition would hold a rollout for ever, or never act. Metrics under other names are pushed or read elsewhere, and only whoever sends them knows
 * their unit: they are compared with plain numbers, where `98%` is 0.98, and a duration is refused because it would be a guess.
 *
 * Any other well-formed name is a metric, since what is pushed is not known beforehand. Only what can hardly be anything but a slip of the pen is
 * refused: one letter away from a metric of the proxy, or a percentile that is not measured. It would hold a step for ever.
 */
import { BUILT_IN_METRICS, unitOf as builtInUnit, isBuiltIn, type MetricUnit } from '../../model/built-in-metrics.ts';
import type { Condition, Operand, Operator } from '../../model/rollout-config.ts';
import type { Parsed } from './addresses.ts';
import { LEVELS } from './alert-condition.ts';
import { nearestName } from './nearest-name.ts';
import { LONGEST_WINDOW, WINDOW } from './rollout-settings.ts';
import { METRIC_PATTERN } from './schema-strategy.ts';
import { parseDuration, parsePercent, parseRate } from './units.ts';

type Unit = MetricUnit | 'number';

/** Percent, milliseconds, per second, or as it is sent. */
const unitOf = (metric: string): Unit => builtInUnit(metric) ?? 'number';

const WANTED: Readonly<Record<Unit, string>> = {
  ...LEVELS,
  number: 'a number such as 0.98, or a percentage such as 98%, which is the same',
};

const OPERATORS: readonly string[] = ['<', '<=', '>', '>=', '==', '!='] satisfies Operator[];

const EXAMPLES = 'error_rate < 1%, p95 <= baseline * 1.2 or error_rate > 5% over 5m';
const CONDITION = /^\s*([A-Za-z0-9_.-]+)\s*([<>=!]+)\s*(\S(?:.*?\S)??)\s*(?:\sover\s+(\S+)\s*)?$/;
const BASELINE = /^baseline(?:\s*([-+*/])\s*(\S+))?$/;
const NUMBER = /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]{1,2})?$/i;

/** @param known names of the metrics that are read elsewhere. */
export function parseCondition(text: string, known: readonly string[] = []): Parsed<Condition> {
  // What is longer is no condition, and is not worth being looked at closely.
  const match = text.length > 200 ? null : CONDITION.exec(text);
  if (match === null) return { fault: `must be a condition such as ${EXAMPLES}, not ${quoted(text)}` };
  const [, metric = '', operator = '', value = '', over] = match;
  const misnamed = known.includes(metric) ? null : nameFault(metric, known);
  if (misnamed !== null) return { fault: misnamed };
  const wrong = operatorFault(operator, metric);
  if (wrong !== null) return { fault: wrong };
  const operand = parseOperand(metric, value);
  if ('fault' in operand) return operand;
  const window = over === undefined ? { ok: null } : parseWindow(over);
  if ('fault' in window) return window;
  return {
    ok: { text: text.trim(), metric, operator: operator as Operator, operand: operand.ok, window: window.ok },
  };
}

/** Milliseconds of `over WINDOW`. */
export function parseWindow(text: string): Parsed<number> {
  const window = parseDuration(text);
  if (window === null) return { fault: `a window is a duration such as 5m, not ${quoted(text)}` };
  const [least, most] = [parseDuration(WINDOW.least)!, parseDuration(WINDOW.most)!];
  if (window >= least && window <= most) return { ok: window };
  return { fault: `a window is from ${WINDOW.least} to ${LONGEST_WINDOW}, not ${text}: further back nothing is kept` };
}

function nameFault(metric: string, known: readonly string[]): string | null {
  const all = [...Object.keys(BUILT_IN_METRICS), ...known];
  if (isBuiltIn(metric)) return null;
  if (/^p[0-9]+$/.test(metric)) return `no metric ${metric}; percentiles are p50, p95, p99 and p999`;
  const guess = nearestName(metric, all, 1) ?? all.find((name) => name === metric.toLowerCase());
  if (guess !== undefined && guess !== null) return `no metric ${metric}; did you mean ${guess}?`;
  if (new RegExp(METRIC_PATTERN).test(metric)) return null;
  return `${metric} cannot be the name of a metric; one is written in lower case letters, digits and "_"`;
}

function operatorFault(operator: string, metric: string): string | null {
  if (!OPERATORS.includes(operator)) return `cannot compare with ${operator}; write <, <=, > or >=`;
  if (operator.startsWith('<') || operator.startsWith('>') || unitOf(metric) === 'number') return null;
  return `${metric} is measured and hardly ever equals a value; write <, <=, > or >= in place of ${operator}`;
}

function parseOperand(metric: string, text: string): Parsed<Operand> {
  if (!text.startsWith('baseline')) {
    const value = parseValue(metric, text);
    return 'fault' in value ? value : { ok: { kind: 'value', value: value.ok } };
  }
  const match = BASELINE.exec(text);
  if (match === null || match[1] === '/') {
    return { fault: `cannot read ${quoted(text)}; write baseline, baseline * 1.2, baseline + 0.1% or the like` };
  }
  const [, operator = '+', by = '0'] = match;
  const amount = operator === '*' ? parseFactor(by) : parseValue(metric, by);
  if ('fault' in amount) return amount;
  return { ok: { kind: 'baseline', operator: operator as '+' | '-' | '*', by: amount.ok } };
}

function parseFactor(text: string): Parsed<number> {
  const factor = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (factor > 0 && factor <= 1_000_000) return { ok: factor };
  return { fault: `baseline is multiplied by a number above 0 such as 1.2, not by ${quoted(text)}` };
}

function parseValue(metric: string, text: string): Parsed<number> {
  const value = inUnit(unitOf(metric), text);
  if (value !== null) return { ok: value };
  return { fault: `${metric} is compared with ${WANTED[unitOf(metric)]}, not with ${quoted(text)}` };
}

function inUnit(unit: Unit, text: string): number | null {
  const bare = NUMBER.test(text) ? Number(text) : null;
  switch (unit) {
    case 'percent': {
      const percent = parsePercent(bare ?? text);
      return percent !== null && percent >= 0 && percent <= 100 ? percent : null;
    }
    case 'duration':
      // Nothing is nothing in every unit.
      return bare === 0 ? 0 : parseDuration(text);
    case 'rate': {
      const rate = parseRate(bare ?? text);
      return rate !== null && rate >= 0 ? rate : null;
    }
    case 'number':
      return bare !== null && Number.isFinite(bare) ? bare : percentOf(text);
  }
}

/** 98 % is 0.98, and not the 0.9800000000000001 that a division may give. */
function percentOf(text: string): number | null {
  const percent = parsePercent(text.replace(/^-/, ''));
  if (percent === null) return null;
  return Number((percent / 100).toPrecision(12)) * (text.startsWith('-') ? -1 : 1);
}

const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);

/**
 * A rollout on one page, as a pure function of its view and the size of the window.
 *
 *     title        what, against what, phase; how it came out
 *     state        step, time or requests left, what it waits for, weights
 *     sides        stable and canary: rates, latency, in flight, shielded, user errors
 *     evidence     each test as a bar to its threshold
 *     conditions   of the step, and rules, with the values they have now
 *     events       newest last, as many as there is room for
 *
 * A small window gets the same page with less of it, in the order of `LEVELS`: fewer events, no blank lines, no rules but those that are met, no
 * conditions but those that hold the step; what is still too long is cut at the bottom. Lines are cut at the right edge. There is nothing to draw
 * for what there is not: a rollout that waits has no evidence and no conditions.
 */
import type { ConditionResult } from '../../../control/analysis/verdict.ts';
import type { RolloutView } from '../../../control/rollout/view.ts';
import { timeOfDay } from '../../client/format.ts';
import { printable } from '../../client/printable.ts';
import type { Paint } from '../../client/table.ts';
import { clipped } from './clip.ts';
import { conditionLines } from './condition-lines.ts';
import { evidenceLines } from './evidence-lines.ts';
import { barWidth, stateLines, titleLines } from './heading-lines.ts';
import { labelled } from './labelled.ts';
import { sideLines } from './side-lines.ts';

export interface Size {
  /** Infinity: lines as long as they are. */
  readonly columns: number;
  /** Lines that the page may have. */
  readonly rows: number;
}

interface Level {
  readonly gaps: boolean;
  /** Whether rules that are not met and conditions that pass are shown. */
  readonly rules: boolean;
  readonly conditions: boolean;
  /** Fewest events for which this level will do. */
  readonly events: number;
}

const LEVELS: readonly Level[] = [
  { gaps: true, rules: true, conditions: true, events: 4 },
  { gaps: false, rules: true, conditions: true, events: 3 },
  { gaps: false, rules: false, conditions: true, events: 2 },
  { gaps: false, rules: false, conditions: false, events: 1 },
  { gaps: false, rules: false, conditions: false, events: 0 },
];

/** Columns beside the bar of a test: its name, and `12,000 more without failure`. */
const BESIDE_TEST = 39;

/** @returns lines, each with its line feed; at most `size.rows` of them */
export function rolloutScreen(view: RolloutView, size: Size, paint: Paint): string {
  const events = eventLines(view, paint);
  const lines = LEVELS.map((level) => pageAt(level, view, events, size, paint)).find((page) => page !== null);
  const page =
    lines ?? pageAt({ ...LEVELS.at(-1)!, events: Number.NEGATIVE_INFINITY }, view, events, size, paint) ?? [];
  return page
    .slice(0, Math.max(0, size.rows))
    .map((line) => `${clipped(line, size.columns)}\n`)
    .join('');
}

/** Null where the level asks for more events than there is room for. */
function pageAt(
  level: Level,
  view: RolloutView,
  events: readonly string[],
  { columns, rows }: Size,
  paint: Paint,
): string[] | null {
  const { conditions, rules, evidence } = view;
  const width = barWidth(columns, BESIDE_TEST);
  const shownRules = level.rules ? rules : rules.filter(isMet);
  const shownConditions = level.conditions ? conditions : conditions.filter((each) => !isMet(each));
  const parts = [
    titleLines(view, columns, paint),
    stateLines(view, columns, paint),
    sideLines(view, paint),
    [
      ...labelled('Evidence', evidenceLines(evidence, width, paint), paint),
      ...labelled('Conditions', conditionLines(shownConditions, 'condition', paint), paint),
      ...labelled('Rules', conditionLines(shownRules, 'rule', paint), paint),
    ],
  ].filter((part) => part.length > 0);
  const gap = level.gaps ? [''] : [];
  const fixed = parts.flatMap((part, at) => (at === 0 ? part : [...gap, ...part]));
  const room = rows - fixed.length - gap.length;
  if (room < Math.min(level.events, events.length)) return null;
  const newest = room >= events.length ? events : events.slice(events.length - Math.max(0, room));
  return newest.length === 0 ? fixed : [...fixed, ...gap, ...labelled('Events', newest, paint)];
}

const isMet = ({ status }: ConditionResult): boolean => status === 'pass';

const eventLines = ({ timeline }: RolloutView, paint: Paint): string[] =>
  timeline.map(({ at, message }) => `${paint(timeOfDay(printable(at)), 'faint')}  ${printable(message)}`);

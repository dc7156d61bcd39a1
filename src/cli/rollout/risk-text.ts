/**
 * The risk score of a start, item by item, the weightiest first: a number that cannot be taken apart would not be believed.
 */
import type { Risk } from '../../control/rollout/rollout.ts';
import { printable } from '../client/printable.ts';
import { type Cell, type Paint, type Tone, table } from '../client/table.ts';

export function riskText({ score, items }: Risk, paint: Paint): string {
  const heading = `Risk ${paint(`${score} of 100`, riskTone(score))}\n`;
  if (items.length === 0) return heading;
  const rows = items
    .toSorted((a, b) => b.points - a.points)
    .map(({ name, points, message }): Cell[] => [String(points), name, printable(message)]);
  return heading + table(['>POINTS', 'ITEM', 'WHY'], rows, paint);
}

export function riskTone(score: number): Tone {
  if (score >= 70) return 'bad';
  return score >= 40 ? 'warning' : 'good';
}

/** Markdown tables of figures, and how a figure is written. */
import type { Summary } from './summary.ts';

export interface Table {
  readonly title: string;
  /** What was done, under which the table stands. */
  readonly text: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const markdownOf = ({ title, text, head, rows }: Table): string =>
  [
    `## ${title}`,
    '',
    text,
    '',
    `| ${head.join(' | ')} |`,
    `|---|${'---:|'.repeat(head.length - 1)}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  ].join('\n');

export const count = (value: number): string => (Number.isNaN(value) ? '' : value.toLocaleString('en-US'));
export const percent = (part: number): string =>
  `${(part * 100).toLocaleString('en-US', { maximumFractionDigits: part < 0.001 ? 3 : part < 0.1 ? 2 : 1 })} %`;
/** Runs that were stopped, of all. */
export const stopped = (summary: Summary): string => percent(summary.stopped / summary.runs);

/**
 * What alpha costs: the e-value that is asked for, and how much later a bad canary is found by it.
 *
 * The threshold grows with 1/alpha, the failures that are needed only with its logarithm: each further failure of the canary at 10 % multiplies the
 * e-value by up to ten. That is why a small alpha is cheap, and the table there to show it.
 */
import { Dice } from '../simulate/dice.ts';
import { evidencePath, failuresNeeded, SHARE } from './paths.ts';

const ALPHAS = [0.05, 0.01, 0.001, 0.0001];
/** Of alpha, what belongs to the errors test by default. */
const PART = 0.5;
const RUNS = 400;

export function alphaTable(): string {
  const rows = ALPHAS.map((alpha, index) => {
    const enough = 1 / (alpha * PART);
    const cells = [
      `one in ${(1 / alpha).toLocaleString('en-US')}`,
      enough.toLocaleString('en-US'),
      String(failuresNeeded(SHARE, enough)),
      ...[0.5, 0.1, 0.01].map((rate) => rounded(requestsUntil(enough, rate, new Dice(60 + index)))),
    ];
    return `| ${alpha} | ${cells.join(' | ')} |`;
  });
  return [
    '| `alpha` | healthy versions taken back, at most | e-value asked for | failures in a row | canary fails 50 % | 10 % | 1 % |',
    '|---:|---|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

/** Median of the requests of both versions until a canary at 10 % is found, with stable at 0.1 %. */
function requestsUntil(enough: number, canary: number, dice: Dice): number {
  const stretches = [{ requests: 1_000_000, canary, stable: 0.001 }];
  const ends = Array.from({ length: RUNS }, () => evidencePath(stretches, enough, dice).at(-1)![0]);
  return ends.sort((a, b) => a - b)[RUNS / 2]!;
}

/** To two digits: the rest is chance. */
const rounded = (value: number): string => Number(value.toPrecision(2)).toLocaleString('en-US');

/** The page with the table between its marks. */
export function withTable(page: string, table: string): string {
  const marks = /(<!-- alpha -->\n).*?(\n<!-- \/alpha -->)/s;
  if (!marks.test(page))
    throw new Error('docs/evidence-explained.md has no <!-- alpha --> … <!-- /alpha -->; put them back');
  return page.replace(marks, (_, open: string, close: string) => open + table + close);
}

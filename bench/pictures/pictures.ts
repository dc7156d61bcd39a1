/**
 * The pictures of docs/evidence-explained.md, each from a simulation with the product's own statistics. What each shows is its description.
 *
 * Chance is seeded, picture by picture, so that one can change without the others.
 */
import { Dice } from '../simulate/dice.ts';
import { only, productDecides } from '../simulate/summary.ts';
import { simulate, type Traffic } from '../simulate/traffic.ts';
import { type Axis, Chart, type Colour, type Point } from './chart.ts';
import {
  endedBy,
  eValuesAfter,
  evidencePath,
  failuresNeeded,
  medianPath,
  peek,
  SHARE,
  type Stretch,
  thinned,
} from './paths.ts';

/** What the errors test asks for by default: alpha of 0.001, half of which is its own. */
export const ENOUGH = 2_000;
/** Rollouts of which the median one is drawn, and rollouts that are all drawn. */
const RUNS = 101;
const SHOWN = 6;

const E_VALUE: Axis = {
  label: 'e-value',
  scale: 'log',
  from: 0.01,
  to: 30_000,
  ticks: [
    [0.01, '0.01'],
    [0.1, '0.1'],
    [1, '1'],
    [10, '10'],
    [100, '100'],
    [1_000, '1,000'],
    [10_000, '10,000'],
  ],
};
const requestsAxis = (to: number, every: number): Axis => ({
  label: 'requests of both versions',
  scale: 'linear',
  from: 0,
  to,
  ticks: Array.from({ length: to / every + 1 }, (_, index) => [index * every, (index * every).toLocaleString('en-US')]),
});

/** @param below whether its words stand at the left below the line, where lines cross it at the right. */
function threshold(chart: Chart, from: number, to: number, below = false): void {
  chart.line(
    [
      [from, ENOUGH],
      [to, ENOUGH],
    ],
    { colour: 'ink', dash: '7 5' },
  );
  const text = 'taken back at 2,000';
  if (below) chart.word([from, ENOUGH], text, { bold: true, shift: [8, 18] });
  else chart.word([to, ENOUGH], text, { anchor: 'end', bold: true, shift: [-6, -8] });
}

export function oneByOne(): string {
  const chart = new Chart({
    title: 'The e-value, failure by failure',
    description:
      'A canary with 10 % of the requests. Where all failures are the canary’s, the e-value goes 5.7, 43, 369, 3,318 and is enough with the ' +
      'fourth. Where one of ten failures is the canary’s, as its share says, the e-value stays about 1 and sinks.',
    x: { label: 'failed requests, of whichever version', scale: 'linear', from: 0, to: 10.5, ticks: numbers(0, 10) },
    y: E_VALUE,
  });
  threshold(chart, 0, 10.5);
  const draw = (whose: string, colour: Colour): readonly Point[] => {
    const points: Point[] = [[0, 1], ...eValuesAfter(whose).map((eValue, index): Point => [index + 1, eValue])];
    chart.line(points, { colour });
    points.slice(1).forEach((point, index) => {
      chart.dot(point, colour, whose[index] === 's');
    });
    return points;
  };
  const guilty = draw('cccc', 'orange');
  const equal = draw('ssscssssss', 'blue');
  chart.word(guilty[3]!, 'every failure is the canary’s', { colour: 'orange', bold: true, shift: [14, 4] });
  chart.word(equal[9]!, 'one of ten is the canary’s', {
    ...{ colour: 'blue', anchor: 'end', bold: true },
    shift: [0, 26],
  });
  chart.dot([6.9, 30], 'grey');
  chart.word([7.1, 30], 'failure of the canary', { colour: 'grey', shift: [2, 4] });
  chart.dot([6.9, 12], 'grey', true);
  chart.word([7.1, 12], 'failure of stable', { colour: 'grey', shift: [2, 4] });
  return chart.toString();
}

export function growth(): string {
  const requests = 30_000;
  const stretches = (canary: number): readonly Stretch[] => [{ requests, canary, stable: 0.001 }];
  const chart = new Chart({
    title: 'Canaries that fail 50, 10, 2 and 1 % of their requests, and good ones',
    description:
      'The e-value over the requests of both versions, on logarithmic axes. A canary that fails 50 % reaches the threshold of 2,000 after about ' +
      'seventy requests, one that fails 10 % after some four hundred, 2 % after some 2,500, 1 % after some 7,500. Six ' +
      'canaries that fail at 0.1 % like stable stay about 1 or sink.',
    x: {
      label: 'requests of both versions',
      scale: 'log',
      from: 10,
      to: requests,
      ticks: [10, 100, 1_000, 10_000].map((value) => [value, value.toLocaleString('en-US')]),
    },
    y: E_VALUE,
  });
  threshold(chart, 10, requests, true);
  const good = new Dice(11);
  for (let run = 0; run < SHOWN; run++) {
    chart.line(evidencePath(stretches(0.001), ENOUGH, good), { colour: 'grey', width: 1.2, opacity: 0.8, steps: true });
  }
  chart.word([18, 0.2], 'six good canaries', { colour: 'grey', bold: true });
  const bad: readonly (readonly [number, Colour])[] = [
    [0.5, 'orange'],
    [0.1, 'purple'],
    [0.02, 'green'],
    [0.01, 'blue'],
  ];
  for (const [index, [rate, colour]] of bad.entries()) {
    const dice = new Dice(20 + index);
    const paths = Array.from({ length: RUNS }, () => evidencePath(stretches(rate), ENOUGH, dice));
    const path = medianPath(paths);
    chart.line(path, { colour, width: 2.5, steps: true });
    chart.word([path.at(-1)![0], ENOUGH], `${rate * 100} %`, { colour, anchor: 'middle', bold: true, shift: [0, -30] });
  }
  return chart.toString();
}

export function outage(): string {
  const [before, requests] = [10_000, 20_000];
  const chart = new Chart({
    title: 'From the 10,000th request on one in five fails: of the canary alone, or of both',
    description:
      'Where the canary alone fails, its e-value jumps over the threshold of 2,000 at once, in each of six rollouts. Where both versions fail ' +
      'equally, as in an outage of a database, the e-value sinks in each of six rollouts.',
    x: requestsAxis(requests, 5_000),
    y: E_VALUE,
  });
  threshold(chart, 0, requests);
  const draw = (stable: number, colour: Colour, dice: Dice): void => {
    const stretches = [
      { requests: before, canary: 0.001, stable: 0.001 },
      { requests: requests - before, canary: 0.2, stable },
    ];
    for (let run = 0; run < SHOWN; run++) {
      const path = thinned(evidencePath(stretches, 10 * ENOUGH, dice), 50);
      chart.line(path, { colour, width: 1.3, opacity: 0.85, steps: true });
    }
  };
  draw(0.001, 'orange', new Dice(31));
  draw(0.2, 'blue', new Dice(32));
  chart.word([before, 200], 'the canary alone', { colour: 'orange', anchor: 'end', bold: true, shift: [-10, 0] });
  chart.word([before, 0.03], 'both: an outage', { colour: 'blue', anchor: 'end', bold: true, shift: [-10, 0] });
  return chart.toString();
}

export function peeking(): string {
  const [runs, requests] = [400, 200_000];
  const dice = new Dice(41);
  const alarms = Array.from({ length: runs }, () => peek({ rate: 0.02, requests, every: 500 }, dice));
  const fixedSample = endedBy(
    alarms.map((run) => run.fixedSample),
    requests,
  );
  const eValue = endedBy(
    alarms.map((run) => run.eValue),
    requests,
  );
  const chart = new Chart({
    title: 'Healthy versions taken back by tests that may be wrong in 5 %',
    description:
      'Over 200,000 requests of two equal versions, looked at every 500. A fixed-sample test that is looked at again and again takes back ' +
      `${last(fixedSample)} % of the healthy versions, and more with every look. The e-value at the same 5 % takes back ${last(eValue)} %.`,
    x: requestsAxis(requests, 50_000),
    y: percentAxis(60, 'healthy versions taken back by then'),
  });
  const line = (points: readonly Point[], colour: Colour, text: string): void => {
    chart.line(points, { colour, width: 2.5 });
    chart.word(points.at(-1)!, `${text}: ${last(points)} %`, { colour, anchor: 'end', bold: true, shift: [-8, -26] });
  };
  chart.line(
    [
      [0, 5],
      [requests, 5],
    ],
    { colour: 'ink', dash: '7 5' },
  );
  chart.word([0, 5], '5 % were promised', { shift: [90, -8] });
  line(fixedSample, 'orange', 'fixed-sample test');
  line(eValue, 'blue', 'e-value');
  return chart.toString();
}

export function sessions(): string {
  const [runs, requests] = [500, 200_000];
  const traffic: Traffic = {
    steps: [{ share: SHARE, requests }],
    canary: { failed: 0.005 },
    stable: { failed: 0.005 },
    sticky: { clients: 8, part: 0.05, kind: 'failed' },
  };
  const decide = productDecides(only('errors', 0.05));
  const ends = (firstOnly: boolean, dice: Dice): Point[] => {
    const stopped = Array.from({ length: runs }, () => simulate({ ...traffic, firstOnly }, dice, decide).stoppedAt);
    return endedBy(
      stopped.map((at) => at ?? Number.POSITIVE_INFINITY),
      requests,
    );
  };
  const every = ends(false, new Dice(51));
  const first = ends(true, new Dice(52));
  const chart = new Chart({
    title: 'Healthy versions taken back, where eight clients always fail',
    description:
      'Over 200,000 requests of two equal versions with an alpha of 5 %; each client sticks to one version. Where every failure is evidence, ' +
      `${last(every)} % of the healthy versions are taken back; where only the first failure of each session is, ${last(first)} %.`,
    x: requestsAxis(requests, 50_000),
    y: percentAxis(70, 'healthy versions taken back by then'),
  });
  chart.line(every, { colour: 'orange', width: 2.5 });
  chart.word(every.at(-1)!, `every failure counts (wrong): ${last(every)} %`, {
    ...{ colour: 'orange', anchor: 'end', bold: true },
    shift: [-8, -12],
  });
  chart.line(first, { colour: 'blue', width: 2.5 });
  chart.word(first.at(-1)!, `the first failure of a session counts (as built): ${last(first)} %`, {
    ...{ colour: 'blue', anchor: 'end', bold: true },
    shift: [-8, -12],
  });
  return chart.toString();
}

export function weights(): string {
  const shares = [1, 5, 10, 20, 30, 40, 50, 60, 70];
  const needed = shares.map((share) => failuresNeeded(share / 100, ENOUGH));
  const chart = new Chart({
    title: 'Failures in a row, all the canary’s, until the e-value is 2,000',
    description: `By the canary’s weight: ${shares.map((share, index) => `${share} %: ${needed[index]}`).join(', ')}.`,
    x: {
      label: 'weight of the canary',
      scale: 'linear',
      from: 0.4,
      to: shares.length + 0.6,
      ticks: shares.map((share, index) => [index + 1, `${share} %`]),
    },
    y: {
      label: 'failures needed',
      scale: 'linear',
      from: 0,
      to: 35,
      ticks: [0, 10, 20, 30].map((n) => [n, String(n)]),
    },
  });
  needed.forEach((failures, index) => {
    chart.bar([index + 1, failures], 0.62, 'blue');
    chart.word([index + 1, failures], String(failures), { anchor: 'middle', bold: true, shift: [0, -6] });
  });
  return chart.toString();
}

const last = (points: readonly Point[]): string => points.at(-1)![1].toFixed(1);
const numbers = (from: number, to: number): [number, string][] =>
  Array.from({ length: to - from + 1 }, (_, index) => [from + index, String(from + index)]);
function percentAxis(to: number, label: string): Axis {
  const ticks = Array.from({ length: to / 10 + 1 }, (_, index): [number, string] => [10 * index, `${10 * index} %`]);
  return { label, scale: 'linear', from: 0, to, ticks };
}

/** By the name of the file. */
export const PICTURES: Readonly<Record<string, () => string>> = {
  'one-by-one.svg': oneByOne,
  'growth.svg': growth,
  'outage.svg': outage,
  'peeking.svg': peeking,
  'sessions.svg': sessions,
  'weights.svg': weights,
};

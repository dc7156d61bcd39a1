/**
 * What the tests of a rollout find, how soon, and how often they are wrong: simulated with the product's own code and told in a table.
 *
 * Every figure of docs/evidence.md comes from here. Chance is seeded, so a run can be repeated to the digit; a full one writes
 * bench/SIMULATION.md and takes about two minutes of one core. It ends with exit code 1 if an equal canary was taken back more often than chance
 * explains at the alpha that was asked for.
 *
 *     node bench/simulate.ts [--runs 1000] [--requests 1000000] [--seed 1] [--out FILE]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { detection, latency, millionRequests, stickyTrap, swallowed } from './simulate/comparisons.ts';
import { Dice } from './simulate/dice.ts';
import { markdownOf } from './simulate/table.ts';
import { misdealt, sloBroken, sloProved } from './simulate/totals.ts';

const FULL = { runs: 1_000, requests: 1_000_000 };
/** A rarer coincidence than this is none. */
const CHANCE = 0.05;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: String(FULL.runs) },
    requests: { type: 'string', default: String(FULL.requests) },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const wholeNumber = (name: 'runs' | 'requests' | 'seed', least: number): number => {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name} wants a whole number from ${least} on, not ${values[name]}`);
  return value;
};
const runs = wholeNumber('runs', 1);
const requests = wholeNumber('requests', 4);
const seed = wholeNumber('seed', 0);

const million = millionRequests(runs, requests, new Dice(seed));
const tables = [
  detection(runs, new Dice(seed + 1)),
  stickyTrap(runs, new Dice(seed + 2)),
  million,
  sloBroken(runs, new Dice(seed + 3)),
  sloProved(runs, new Dice(seed + 4)),
  latency(runs, new Dice(seed + 5)),
  swallowed(runs, new Dice(seed + 6)),
  misdealt(Math.ceil(runs / 5), new Dice(seed + 7)),
];
const text = [
  '# The tests of a rollout, simulated',
  '',
  'Made by `node bench/simulate.ts`; do not edit. What the tests are is in [docs/evidence.md](../docs/evidence.md).',
  '',
  ...tables.map(markdownOf),
  `Seed ${seed}.`,
  '',
].join('\n');
console.log(text);

const isFull = runs >= FULL.runs && requests >= FULL.requests;
const place = values.out ?? join(import.meta.dirname, isFull ? 'SIMULATION.md' : 'results/simulation.md');
mkdirSync(dirname(place), { recursive: true });
writeFileSync(place, text);

// The third row shows the trap and is wrong on purpose.
const tooMany = million.rows.slice(0, 2).filter((row) => Number(row.at(-1)) < CHANCE);
for (const [name, taken] of tooMany)
  console.error(`${name}: taken back in ${taken} of ${runs} runs, more than alpha allows`);
if (tooMany.length > 0) process.exitCode = 1;

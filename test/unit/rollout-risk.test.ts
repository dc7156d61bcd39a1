/** The risk score: the table of the documentation is that of the code, every row can hold, and nothing that gets worse lowers it. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  RISK_ITEMS,
  type RiskInput,
  type RiskName,
  type RiskRow,
  riskOf,
  strategyRisk,
} from '../../src/control/rollout/risk.ts';
import type { EvidenceConfig, StepConfig } from '../../src/model/rollout-config.ts';
import { Dice } from '../fuzz/dice.ts';

/** A Tuesday, 10 h UTC. */
const TUESDAY = Date.UTC(2026, 2, 3, 10);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const GOOD: RiskInput = {
  strategy: 'standard',
  service: 'shop',
  version: 'v2',
  now: TUESDAY,
  recentRollbacks: 0,
  errorBudgetLeft: 1,
  hasPreflight: true,
  firstWeight: 1,
  health: 'known good',
  evidenceOff: false,
  hasShield: true,
};
const BAD: RiskInput = {
  ...GOOD,
  now: TUESDAY + 4 * DAY + 13 * HOUR,
  recentRollbacks: 3,
  errorBudgetLeft: 0,
  hasPreflight: false,
  firstWeight: 100,
  health: 'bad',
  evidenceOff: true,
  hasShield: false,
};

const points = (name: RiskName, changes: Partial<RiskInput>): number =>
  riskOf({ ...GOOD, ...changes }).items.find((item) => item.name === name)!.points;

const rows = (name: RiskName): readonly RiskRow[] => RISK_ITEMS[name];
const names = Object.keys(RISK_ITEMS) as RiskName[];

t.test('the table: from good to bad, 0 to 100', async (t) => {
  t.equal(riskOf(GOOD).score, 0);
  t.equal(riskOf(BAD).score, 100);
  t.strictSame(
    riskOf(BAD).items.map(({ name }) => name),
    names,
    'every item, in order',
  );
  for (const name of names) {
    const all = rows(name).map((row) => row.points);
    t.equal(all[0], 0, name);
    t.strictSame(
      all,
      [...new Set(all)].sort((a, b) => a - b),
      `${name} only rises`,
    );
  }
  t.equal(
    names.reduce((sum, name) => sum + rows(name).at(-1)!.points, 0),
    100,
  );
});

t.test('docs/risk.md has the same table', async (t) => {
  const page = readFileSync(new URL('../../docs/risk.md', import.meta.url), 'utf8');
  const lines = names.flatMap((name) => rows(name).map((row) => `| ${name} | ${row.when} | ${row.points} |`));
  const written = page.split('\n').filter((line) => /^\| .* \| \d+ \|$/.test(line));
  t.strictSame(written, lines);
});

t.test('every row of every item', async (t) => {
  const cases: Readonly<Record<RiskName, readonly Partial<RiskInput>[]>> = {
    'first step': [1, 5, 10, 25, 50, 100].map((firstWeight) => ({ firstWeight })),
    hour: [{}, { now: TUESDAY - 5 * HOUR }],
    day: [{}, { now: TUESDAY + 3 * DAY + 4 * HOUR }, { now: TUESDAY + 4 * DAY }],
    'recent rollbacks': [0, 1, 2, 3].map((recentRollbacks) => ({ recentRollbacks })),
    'error budget': [0.5, null, 0.25, 0.1, 0.09].map((errorBudgetLeft) => ({ errorBudgetLeft })),
    preflight: [{}, { hasPreflight: false }],
    evidence: [{}, { evidenceOff: true }],
    shield: [{}, { hasShield: false }],
    health: [{}, { health: 'unknown' }, { health: 'bad' }],
  };
  for (const name of names) {
    t.strictSame(
      cases[name].map((changes) => points(name, changes)),
      rows(name).map((row) => row.points),
      name,
    );
  }
  const edges = [0, 1.01, 5.01, 10.01, 25.01, 50.01].map((firstWeight) => points('first step', { firstWeight }));
  t.strictSame(edges, [0, 4, 8, 12, 16, 20]);
  t.equal(points('first step', { firstWeight: Number.NaN }), 20, 'no number is the worst');
  t.equal(points('recent rollbacks', { recentRollbacks: Number.NaN }), 16);
  t.equal(points('recent rollbacks', { recentRollbacks: 99 }), 16);
  t.equal(points('error budget', { errorBudgetLeft: Number.NaN }), 4, 'nor is it known');
  t.equal(points('error budget', { errorBudgetLeft: -3 }), 14);
});

t.test('hours and days, in UTC and elsewhere', async (t) => {
  const at = (day: number, hour: number, minute = 0): { now: number } => ({
    now: Date.UTC(2026, 2, day, hour, minute),
  });
  t.strictSame(
    [at(3, 5, 59), at(3, 6), at(3, 21, 59), at(3, 22), at(3, 0)].map((when) => points('hour', when)),
    [8, 0, 0, 8, 8],
  );
  const fridayToMonday = [at(6, 13, 59), at(6, 14), at(6, 23, 59), at(7, 0), at(8, 23, 59), at(9, 0)];
  t.strictSame(
    fridayToMonday.map((when) => points('day', when)),
    [0, 6, 6, 8, 8, 0],
  );
  const tokyo = { ...at(6, 14, 59), timeZone: 'Asia/Tokyo' };
  t.strictSame([points('hour', tokyo), points('day', tokyo)], [8, 6], 'Friday 23:59 there');
  t.strictSame([points('day', { ...at(6, 15), timeZone: 'Asia/Tokyo' })], [8], 'and then Saturday');
  t.strictSame(riskOf({ ...GOOD, timeZone: 'Nowhere/At_All' }), riskOf(GOOD), 'an unknown zone is UTC');
});

t.test('one sentence for each item', async (t) => {
  const messages = (input: RiskInput): string[] => riskOf(input).items.map(({ message }) => message);
  t.strictSame(messages(GOOD), [
    'The first step of standard gives v2 1 % of the users.',
    'It begins at 10 h UTC.',
    'It begins on a Tuesday.',
    'shop was not rolled back within 14 days.',
    'shop has 100 % of its error budget left.',
    'standard checks v2 before users get it.',
    'Evidence tests take v2 back as soon as its failures are enough.',
    'shop has a shield: stable answers where v2 fails.',
    'Every endpoint of v2 is healthy.',
  ]);
  t.strictSame(messages(BAD), [
    'The first step of standard gives v2 100 % of the users.',
    'It begins at 23 h UTC, when few people are there to look.',
    'It begins on a Saturday.',
    'shop was rolled back 3 times within 14 days.',
    'shop has 0 % of its error budget left.',
    'standard has no preflight step: users are the first who try v2.',
    'standard has its evidence tests turned off: only conditions can take v2 back.',
    'shop has no shield: users see every failure of v2.',
    'At least one endpoint of v2 is not healthy.',
  ]);
  const odd = messages({
    ...GOOD,
    now: TUESDAY + 3 * DAY + 4 * HOUR,
    recentRollbacks: 1,
    errorBudgetLeft: null,
    health: 'unknown',
  });
  t.match(
    odd.join('\n'),
    /on a Friday afternoon, just before the weekend(.|\n)*rolled back once(.|\n)*not known\.(.|\n)*not known: there are no health checks/,
  );
});

t.test('nothing that gets worse lowers the score', async (t) => {
  const health = ['known good', 'unknown', 'bad'] as const;
  const dice = new Dice(5);
  const any = (): RiskInput => ({
    ...GOOD,
    now: TUESDAY + dice.below(14 * 24 * 60) * 60_000,
    recentRollbacks: dice.below(6),
    errorBudgetLeft: dice.one([null, dice.below(1_000) / 1_000]),
    hasPreflight: dice.chance(0.5),
    firstWeight: dice.below(10_001) / 100,
    health: dice.one(health),
    evidenceOff: dice.chance(0.5),
    hasShield: dice.chance(0.5),
  });
  let rises = 0;
  for (let round = 0; round < 1_000; round++) {
    const input = any();
    const { score, items } = riskOf(input);
    const worse: Partial<RiskInput> = dice.one([
      { recentRollbacks: input.recentRollbacks + 1 },
      { errorBudgetLeft: input.errorBudgetLeft === null ? 0 : input.errorBudgetLeft - dice.below(500) / 1_000 },
      { hasPreflight: false },
      { firstWeight: input.firstWeight + dice.below(50) },
      { health: health[Math.min(2, health.indexOf(input.health) + 1)]! },
      { evidenceOff: true },
      { hasShield: false },
    ]);
    const after = riskOf({ ...input, ...worse }).score;
    if (after > score) rises++;
    const sum = items.reduce((total, item) => total + item.points, 0);
    if (after < score || score < 0 || score > 100 || sum !== score)
      t.fail(JSON.stringify({ input, worse, score, after }));
  }
  t.ok(rises > 150, `${rises} of 1000 rose`);
});

t.test('what a strategy says of it', async (t) => {
  const evidence = { alpha: 0.001, shares: { errors: 0.5, slo: 0, latency: 0.5, ratio: 0 } } as EvidenceConfig;
  const weight = (percent: number): StepConfig => ({ name: 'w', kind: 'weight', weight: percent, for: 1, pass: [] });
  const ramp = (to: number, by: number): StepConfig => ({ name: 'r', kind: 'ramp', to, by, every: 1, pass: [] });
  const pause: StepConfig = { name: 'p', kind: 'pause', until: 'manual' };
  const preflight: StepConfig = { name: 'c', kind: 'preflight', health: true, warmUp: null, smoke: [], timeout: 1 };
  const of = (steps: readonly StepConfig[]) => strategyRisk({ steps, evidence });
  t.strictSame(of([pause, weight(5), weight(20)]), { firstWeight: 5, hasPreflight: false, evidenceOff: false });
  t.strictSame(of([preflight, ramp(100, 20)]), { firstWeight: 20, hasPreflight: true, evidenceOff: false });
  t.match(of([weight(0), ramp(10, 50)]), { firstWeight: 10 });
  t.match(of([pause]), { firstWeight: 100 }, 'what promotion gives');
  t.equal(strategyRisk({ steps: [], evidence: { ...evidence, alpha: 0 } }).evidenceOff, true);
  const none = { errors: 0, slo: 0, latency: 0, ratio: 0 };
  t.equal(strategyRisk({ steps: [], evidence: { ...evidence, shares: none } }).evidenceOff, true);
});

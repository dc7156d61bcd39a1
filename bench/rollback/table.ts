/** bench/ROLLBACK.md from what the runs have shown; nothing is judged here that the numbers do not say. */
import type { FaultResult } from './fault-run.ts';
import type { FaultPlan } from './faults.ts';
import type { OtherResult } from './other-runs.ts';

export interface FaultRows {
  readonly plan: FaultPlan;
  readonly results: readonly FaultResult[];
}

export interface OtherRows {
  readonly title: string;
  readonly results: readonly OtherResult[];
}

export interface Budget {
  readonly ms: number;
  readonly failed: number;
}

const ms = (value: number): string => {
  if (Number.isNaN(value)) return '–';
  return value < 10_000 ? `${Math.round(value).toLocaleString('en')} ms` : `${(value / 1_000).toFixed(1)} s`;
};

/** The smallest that a share of the samples does not exceed. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.filter((sample) => !Number.isNaN(sample)).toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

const threeOf = (samples: readonly number[], shown: (value: number) => string): string =>
  [0.5, 0.95, 1].map((share) => shown(percentile(samples, share))).join(' | ');

const times = (results: readonly FaultResult[]): number[] => results.flatMap(({ time }) => time ?? []);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The budget's figure, over the plans of it together. */
export function mainTable(rows: readonly FaultRows[], budget: Budget): string[] {
  const all = rows.flatMap(({ results }) => results);
  if (all.length === 0) return [];
  const plain = (value: number): string => String(value);
  const failed = all.map((result) => result.failed);
  const users = sum(all.map(({ userErrors }) => userErrors));
  const own = (key: 'closed' | 'decided' | 'acknowledged'): number[] => all.flatMap((each) => each.own?.[key] ?? []);
  const p95 = percentile(times(all), 0.95);
  const most = percentile(failed, 1);
  const met = (ok: boolean): string => (ok ? 'met' : '**not met**');
  return [
    `${all.length} runs, ${all.filter(({ takenBack }) => takenBack).length} taken back.`,
    '',
    '| | p50 | p95 | max | budget | |',
    '|---|---:|---:|---:|---:|---|',
    `| time to 0 % | ${threeOf(times(all), ms)} | ${budget.ms} ms at p95 | ${met(p95 <= budget.ms)} |`,
    ...rows.map(({ plan, results }) => `| – ${plan.title} | ${threeOf(times(results), ms)} | | |`),
    `| failed attempts | ${threeOf(failed, plain)} | ${budget.failed} at most | ${met(most <= budget.failed)} |`,
    `| errors that users got, in all runs together | ${users} | | | 0 | ${met(users === 0)} |`,
    `| from the first failed answer to the switch | ${threeOf(own('closed'), ms)} | | |`,
    `| … to the decision that is kept | ${threeOf(own('decided'), ms)} | | |`,
    `| … until every worker runs without it | ${threeOf(own('acknowledged'), ms)} | | |`,
  ];
}

export function faultTable(rows: readonly FaultRows[]): string[] {
  if (rows.length === 0) return [];
  return [
    '| the canary | taken back | time, median | max | failed attempts, median | max | errors that users got, per run | found by |',
    '|---|---:|---:|---:|---:|---:|---:|---|',
    ...rows.map(({ plan, results }) => {
      const back = results.filter(({ takenBack }) => takenBack).length;
      const failed = results.map((result) => result.failed);
      const cells = [
        plan.title,
        `${back}/${results.length}`,
        ...[0.5, 1].map((share) => ms(percentile(times(results), share))),
        ...[0.5, 1].map((share) => percentile(failed, share)),
        perRun(results.map(({ userErrors }) => userErrors)),
        counted(results.map(({ foundBy }) => foundBy)),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

export function otherTable(rows: readonly OtherRows[]): string[] {
  if (rows.length === 0) return [];
  return [
    '| | as it should be | requests | errors that users got | what was seen |',
    '|---|---:|---:|---:|---|',
    ...rows.map(({ title, results }) => {
      const good = results.filter(({ ok }) => ok).length;
      const requests = sum(results.map((each) => each.requests)).toLocaleString('en');
      const errors = sum(results.map(({ userErrors }) => userErrors)).toLocaleString('en');
      return `| ${title} | ${good}/${results.length} | ${requests} | ${errors} | ${counted(results.map(({ said }) => said))} |`;
    }),
  ];
}

function perRun(errors: readonly number[]): string {
  const [least, most] = [Math.min(...errors), Math.max(...errors)];
  return least === most ? String(most) : `${least} to ${most}`;
}

/** The same words once, with how often; numbers of times do not tell them apart. */
function counted(words: readonly string[]): string {
  const counts = new Map<string, { first: string; count: number }>();
  for (const word of words) {
    const kind = word.replace(/[\d.,]+/g, '#');
    const known = counts.get(kind) ?? { first: word, count: 0 };
    known.count++;
    counts.set(kind, known);
  }
  const all = [...counts.values()].toSorted((a, b) => b.count - a.count);
  return all.map(({ first, count }) => (all.length === 1 ? first : `${first} (${count})`)).join('; ');
}

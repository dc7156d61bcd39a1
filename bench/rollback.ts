/**
 * How a bad canary is taken back, and a good one not: `sluice run` with two workers, versions and users in processes of their own, real sockets.
 *
 * The main figure is the budget's: a canary with 10 % of 1,000 requests per second begins to fail half of them. The other faults show what finds
 * them and how soon; then come runs in which nothing may be taken back. One program serves all runs, rollout after rollout, as in life. A fault
 * that is not taken back, or that a user notices where a shield should have hidden it, ends the run with exit code 1; so does a good version that is
 * taken back. Times are reported and not judged by the exit code: they depend on who else uses the machine, which the document says.
 *
 *     node bench/rollback.ts [--runs 50] [--others 5] [--equal 20] [--only main,slow,good,equal,outage,…] [--out FILE]      about eleven minutes
 *
 * A full run writes bench/ROLLBACK.md, any other bench/results/rollback.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../src/runtime/random.ts';
import { describeMachine } from './machine.ts';
import { machineBusyMicroseconds, treeCpuMicroseconds } from './proc-stat.ts';
import { runFault, WEIGHT } from './rollback/fault-run.ts';
import { FAULTS, type FaultPlan, MAIN_FAULTS } from './rollback/faults.ts';
import { OUTAGES, runEqual, runGood, runOutage } from './rollback/other-runs.ts';
import { RollbackStage } from './rollback/stage.ts';
import { type FaultRows, faultTable, mainTable, type OtherRows, otherTable } from './rollback/table.ts';

const FULL = 50;
const RATE = 1_000;
const CONNECTIONS = 50;
const BUDGET = { ms: 250, failed: 8 };
const WARM_UP = 5_000;
const STEP = 2_500;
const EQUAL_STEP = 2_000;
/** Cores. */
const QUIET = 0.2;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: String(FULL) },
    others: { type: 'string', default: '5' },
    equal: { type: 'string', default: '20' },
    only: { type: 'string' },
    out: { type: 'string' },
  },
});
const number = (name: 'runs' | 'others' | 'equal'): number => {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1 on`);
  return value;
};
const [runs, others, equal] = [number('runs'), number('others'), number('equal')];
/** These wait for windows to pass. */
const outages = Math.min(2, others);
const known = ['main', ...FAULTS.map(({ id }) => id), 'good', 'equal', 'outage'];
const only = values.only?.split(',').map((id) => id.trim()) ?? known;
const unknown = only.filter((id) => !known.includes(id));
if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; there are ${known.join(' ')}`);
const wants = (id: string): boolean => only.includes(id);

const problems: string[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function faults(stage: RollbackStage, plans: readonly FaultPlan[], count: number): Promise<FaultRows[]> {
  const random = new SeededRandom(1);
  const rows = plans.map((plan) => ({ plan, results: [] as FaultRows['results'][number][] }));
  for (let nth = 0; nth < count; nth++) {
    const { plan, results } = rows[nth % rows.length]!;
    const result = await runFault(stage, plan, random);
    results.push(result);
    const { takenBack, time, failed, userErrors, foundBy, remarks } = result;
    if (!takenBack || remarks.length > 0) problems.push(`${plan.title}: ${remarks.join('; ')}`);
    if (plan.hidden && userErrors > 0) problems.push(`${plan.title}: users got ${userErrors} errors`);
    say(
      `${plan.title}: ${time === null ? 'not taken back' : `${Math.round(time)} ms`}, ${failed} failed, users ${userErrors}, ${foundBy}`,
    );
  }
  return rows;
}

async function repeated(
  title: string,
  count: number,
  run: (nth: number) => Promise<OtherRows['results'][number]>,
): Promise<OtherRows> {
  const results: OtherRows['results'][number][] = [];
  for (let nth = 0; nth < count; nth++) {
    const result = await run(nth);
    results.push(result);
    if (!result.ok) problems.push(`${title}: ${result.said}, users got ${result.userErrors} errors`);
    say(`${title}: ${result.said}, ${result.requests} requests, users ${result.userErrors}`);
  }
  return { title, results };
}

const loadAtStart = loadavg()[0]!;
const began = performance.now();
const aim = { service: 'shop', method: 'GET', users: null } as const;
const stage = await RollbackStage.open({ rate: RATE, connections: CONNECTIONS, aim });
try {
  // Workers and versions have met their code before anything is measured; the canary meets it in runs that are thrown away.
  await stage.requests(WARM_UP);
  for (const plan of MAIN_FAULTS) await runFault(stage, plan, new SeededRandom(2));
  const busyBefore = machineBusyMicroseconds();
  const ownBefore = treeCpuMicroseconds(process.pid);
  const measured = performance.now();

  const main = wants('main') ? await faults(stage, MAIN_FAULTS, runs) : [];
  const rest: FaultRows[] = [];
  for (const plan of FAULTS) if (wants(plan.id)) rest.push(...(await faults(stage, [plan], others)));
  const calm: OtherRows[] = [];
  if (wants('good')) {
    calm.push(await repeated('a good canary, 5, 25, 50, 100 %', others, () => runGood(stage, STEP)));
  }
  if (wants('equal')) {
    const title = 'an equal canary; both fail 2 %, and 2 % of the users always fail (sessions)';
    calm.push(await repeated(title, equal, (nth) => runEqual(stage, nth, EQUAL_STEP)));
  }
  if (wants('outage')) {
    for (const plan of OUTAGES) calm.push(await repeated(plan.title, outages, () => runOutage(stage, plan)));
  }

  const seconds = (performance.now() - measured) / 1_000;
  const own = treeCpuMicroseconds(process.pid) - ownBefore;
  const foreign = Math.max(0, (machineBusyMicroseconds() - busyBefore - own) / 1e6 / seconds);
  const { skipped, made } = await stage.seen();
  const machine = describeMachine();
  const text = [
    '# How a bad canary is taken back',
    '',
    'Made by `node bench/rollback.ts`; do not edit.',
    '',
    `${RATE.toLocaleString('en')} requests per second over ${CONNECTIONS} connections, whether answers come or not; the canary has ${WEIGHT} %. Two workers, state on the disk, shield on,`,
    'evidence as it is by default (alpha 0.001, the four tests), GET requests without sessions. Versions answer in 5 ms, give or take 30 %.',
    '',
    '## Half of the answers are 500s',
    '',
    ...mainTable(main, BUDGET),
    '',
    'The time is the canary’s own: from when the first request that it fails comes in to when its last request of any kind comes in. Failed attempts are',
    'counted by the canary, errors that users got by the client: any status but 2xx, a cut connection, no answer for five seconds.',
    '',
    '## Other faults',
    '',
    ...faultTable(rest),
    '',
    'A killed version cannot say when it got its last request; there the time is from the kill until Sluice had closed it. `found by` is the cause in the',
    'decision record and the test that was strongest. Slow and hanging versions are given two seconds of good answers first, since what is slow is known only',
    'when stable has been looked at; “from the first request” shows what happens without. A version that hangs holds the connections of the clients that',
    'wait for it, so with 50 of them not more than 50 attempts can hang.',
    '',
    '## What is not taken back',
    '',
    ...otherTable(calm),
    '',
    'In an outage of both the errors are the outage’s own; behind it, nobody gets one. A rule looks at its whole window, so it holds the rollout again as',
    'long as the outage is in it.',
    '',
    `${made.toLocaleString('en')} requests in all, ${skipped.toLocaleString('en')} were due and not sent because every connection was waiting for an answer.`,
    ...(stage.lostCalls.length > 0
      ? ['', `Calls of the admin API without an answer: ${stage.lostCalls.join(', ')}.`]
      : []),
    ...(foreign > QUIET
      ? [
          '',
          `**Other programs took ${foreign.toFixed(2)} of ${machine.cores} cores meanwhile; times of such a run are worse than they need be.**`,
        ]
      : []),
    '',
    `${new Date().toISOString().slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${process.version}; load ${loadAtStart.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end, ${Math.round((performance.now() - began) / 1_000)} s`,
    '',
    ...(problems.length > 0 ? ['## Not as it should be', '', ...problems.map((problem) => `- ${problem}`), ''] : []),
  ].join('\n');
  console.log(text);
  mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
  const full = runs >= FULL && values.only === undefined;
  writeFileSync(values.out ?? join(import.meta.dirname, full ? 'ROLLBACK.md' : 'results/rollback.md'), text);
  if (problems.length > 0) process.exitCode = 1;
} catch (error) {
  say(`sluice ${stage.lives ? 'lives' : 'has ended'}; it said last:\n${stage.log.slice(-10).join('\n')}`);
  throw error;
} finally {
  await stage.close();
}

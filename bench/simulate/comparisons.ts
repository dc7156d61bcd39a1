/**
 * Simulations of the tests that compare the canary with stable: whose failures, slow requests and given up requests are they?
 *
 * What they find, how soon, and how often they take back a canary that is no worse. Requests are those of both versions together.
 */
import { sampleRatioLogE } from '../../src/control/analysis/sample-ratio.ts';
import type { ShareCounts } from '../../src/model/evidence-table.ts';
import type { Random } from '../../src/runtime/random.ts';
import { atLeast, normalBelow } from './dice.ts';
import { only, summarise, USUAL } from './summary.ts';
import { count, percent, stopped, type Table } from './table.ts';
import type { EventKind, Traffic } from './traffic.ts';

const TENTH = [{ share: 0.1, requests: 1_000_000 }];
const ALPHA = 0.001;

export function detection(runs: number, random: Random): Table {
  const expected = ['77 / 156 (4)', '377 / 858 (4)', '2.5k / 6.3k (6)', '6.8k / 16k (8)'];
  const rows = [0.5, 0.1, 0.02, 0.01].map((rate, i) => {
    const traffic = { steps: TENTH, canary: { failed: rate }, stable: { failed: 0.001 } };
    const found = summarise({ traffic, config: only('errors', ALPHA), runs: 2 * runs }, random);
    return [percent(rate), count(found.median), count(found.p95), count(found.events), expected[i]!, stopped(found)];
  });
  return {
    title: 'Errors: how soon a bad canary is found',
    text: `Stable fails at 0.1 %, the canary has 10 %, alpha is 0.001 and belongs to this test alone. ${count(2 * runs)} runs each.`,
    head: ['canary fails', 'requests, median', 'p95', 'canary failures, median', 'expected', 'found'],
    rows,
  };
}

export function stickyTrap(runs: number, random: Random): Table {
  const traffic: Traffic = {
    steps: [{ share: 0.1, requests: 500_000 }],
    canary: { failed: 0.005 },
    stable: { failed: 0.005 },
    sticky: { clients: 8, part: 0.05, kind: 'failed' },
  };
  const config = only('errors', 0.05);
  const rows = [
    { name: 'every failure is evidence (wrong)', firstOnly: false },
    { name: 'the first failure of a session is evidence (as built)', firstOnly: true },
  ].map(({ name, firstOnly }) => [
    name,
    stopped(summarise({ traffic: { ...traffic, firstOnly }, config, runs }, random)),
  ]);
  return {
    title: 'Sticky clients: the trap',
    text:
      'An equal canary at 10 %, both versions fail at 0.5 %, and eight clients who make 5 % of 500,000 requests fail always, each pinned to the ' +
      `version that its hash gives it. Alpha is 5 %. ${count(runs)} runs each.`,
    head: ['', 'taken back'],
    rows,
  };
}

/** The whole of what is on by default, over a whole rollout; what chance would explain is a binomial test. */
export function millionRequests(runs: number, requests: number, random: Random): Table {
  const rates = { failed: 0.02, slow: 0.01, aborted: 0.005 };
  const steps = [0.05, 0.2, 0.5, 1].map((share) => ({ share, requests: requests / 4 }));
  const equal: Traffic = { steps, canary: rates, stable: rates };
  const sticky = { clients: 20, part: 0.01, kind: 'failed' } as const;
  const rows = [
    { name: 'equal canary', traffic: equal },
    { name: 'and 20 sticky clients (1 % of the requests) that only fail', traffic: { ...equal, sticky } },
    {
      name: 'the same, if every failure were evidence (wrong)',
      traffic: { ...equal, sticky, firstOnly: false },
    },
  ].map(({ name, traffic }) => {
    const found = summarise({ traffic, config: USUAL, runs }, random);
    return [name, count(found.stopped), percent(found.stopped / runs), atLeast(found.stopped, runs, ALPHA).toFixed(3)];
  });
  return {
    title: 'An equal canary is left alone',
    text:
      `${count(requests)} requests per run over steps of 5, 20, 50 and 100 %; both versions fail at 2 %, are slow at 1 %, and 0.5 % of ` +
      'the requests are given up by their clients. All tests as they are by default (alpha 0.001: errors 0.5, latency 0.25, ratio 0.25), ' +
      `looked at after every event of the canary. ${count(runs)} runs each. The last column is the chance of that many or more, if one run ` +
      'in a thousand were wrong: below 0.05 would be too many.',
    head: ['', 'taken back', 'of runs', 'chance'],
    rows,
  };
}

/** Log-normal times with σ = ½, of which the canary's are `factor` times stable's. */
const slowRate = (factor: number): number => 1 - normalBelow(1.6449 - Math.log(factor) / 0.5);

export function latency(runs: number, random: Random): Table {
  const stable = { slow: 0.05 };
  const found = (traffic: Traffic, alpha: number) => {
    const config = only('latency', alpha, { latency: { percentile: 95, floor: 10, tolerance: 2 } });
    return summarise({ traffic, config, runs }, random);
  };
  const slower = [3, 2, 1.5].map((factor) => {
    const steps = [{ share: 0.1, requests: 100_000 }];
    const result = found({ steps, canary: { slow: slowRate(factor) }, stable }, ALPHA);
    const name = `all times × ${factor} (${percent(slowRate(factor))} slow)`;
    return [name, '0.001', stopped(result), count(result.median), count(result.p95), count(result.events)];
  });
  const steps = [{ share: 0.1, requests: 100_000 }];
  const twiceTheOdds = (2 * 0.05) / (0.95 + 2 * 0.05);
  const equal = [
    { name: 'equal', traffic: { steps, canary: stable, stable } },
    { name: 'twice the odds, which the tolerance allows', traffic: { steps, canary: { slow: twiceTheOdds }, stable } },
    {
      name: 'equal, and every process stands still for 30 requests now and then',
      traffic: { steps, canary: stable, stable, pauses: { chance: 1 / 3000, requests: 30 } },
    },
  ].map(({ name, traffic }) => {
    const result = found(traffic, 0.05);
    return [name, '0.05', stopped(result), count(result.median), count(result.p95), count(result.events)];
  });
  return {
    title: 'Latency',
    text:
      'Slow is slower than stable’s p95, so 5 % of stable’s requests are; tolerance 2, the canary has 10 %, 100,000 requests. Times are ' +
      `log-normal (σ = 0.5). ${count(runs)} runs each; those of equal versions with an alpha of 5 %, to have something to count.`,
    head: ['canary', 'alpha', 'taken back', 'requests, median', 'p95', 'slow on the canary'],
    rows: [...slower, ...equal],
  };
}

/** The rejected way: what both completed, against what both ended. */
function completedLogE(counts: readonly ShareCounts[]): number {
  let logE = 0;
  for (const { canary, stable } of counts) {
    const ended = canary.ended + stable.ended;
    if (canary.ended === 0 || stable.ended === 0) continue;
    const done = [canary.ended - canary.aborted, stable.ended - stable.aborted];
    if (done[0]! / canary.ended > done[1]! / stable.ended) continue;
    logE += sampleRatioLogE(done, [canary.ended / ended, stable.ended / ended]);
  }
  return logE;
}

export function swallowed(runs: number, random: Random): Table {
  const steps = [{ share: 0.1, requests: 100_000 }];
  const row = (name: string, alpha: number, traffic: Traffic) => {
    const built = summarise({ traffic, config: only('ratio', alpha), runs }, random);
    const enough = -Math.log(alpha);
    const rejected = summarise(
      { traffic, config: only('ratio', alpha), runs },
      random,
      (counts, fromCanary) => fromCanary && completedLogE(counts) >= enough,
    );
    const figures = (summary: typeof built) => [stopped(summary), count(summary.median), count(summary.p95)];
    return [name, String(alpha), ...figures(built), ...figures(rejected)];
  };
  const aborts = (rate: number) => ({ aborted: rate });
  const stable = aborts(0.005);
  const sticky = { clients: 3, part: 0.01, kind: 'aborted' as EventKind };
  return {
    title: 'Swallowed requests',
    text:
      'A canary at 10 % never answers some of its requests, whose clients give up; of all others 0.5 % are given up as well. Built: ' +
      'attribution over the first given up request of each session (tolerance 2, at least 2 % of the canary’s requests more than on stable). ' +
      `Rejected: a sample-ratio test of completed requests. 100,000 requests, ${count(runs)} runs each; requests until found.`,
    head: ['canary', 'alpha', 'built', 'median', 'p95', 'rejected', 'median', 'p95'],
    rows: [
      row('swallows all', ALPHA, { steps, canary: aborts(1), stable }),
      row('swallows 20 %', ALPHA, { steps, canary: aborts(0.204), stable }),
      row('swallows 5 %', ALPHA, { steps, canary: aborts(0.055), stable }),
      row('equal, 0.5 % are given up', 0.05, { steps, canary: stable, stable }),
      row('equal, 5 % are given up', 0.05, { steps, canary: aborts(0.05), stable: aborts(0.05) }),
      row('equal, 3 sticky clients (1 %) give up always, each time counted', 0.05, {
        steps,
        canary: stable,
        stable,
        sticky,
        firstOnly: false,
      }),
      row('the same, only their first counted, as built', 0.05, { steps, canary: stable, stable, sticky }),
    ],
  };
}

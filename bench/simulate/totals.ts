/**
 * Simulations of the tests that read totals: the SLO, broken or proved, and the split that is not what was set.
 */
import { misdealtLogE } from '../../src/control/analysis/ratio.ts';
import { requestsToProve, sloGood } from '../../src/control/analysis/slo.ts';
import type { SideCounts } from '../../src/model/evidence-table.ts';
import type { Random } from '../../src/runtime/random.ts';
import { gap } from './dice.ts';
import { only, summarise } from './summary.ts';
import { count, percent, stopped, type Table } from './table.ts';

const LIMIT = 0.01;

export function sloBroken(runs: number, random: Random): Table {
  const rows = [
    { rate: 0.5, alpha: 0.001 },
    { rate: 0.1, alpha: 0.001 },
    { rate: 0.05, alpha: 0.001 },
    { rate: 0.02, alpha: 0.001 },
    { rate: LIMIT, alpha: 0.05 },
  ].map(({ rate, alpha }) => {
    const traffic = { steps: [{ share: 1, requests: 100_000 }], canary: { failed: rate }, stable: {} };
    const found = summarise({ traffic, config: only('slo', alpha, { slo: 100 * LIMIT }), runs }, random);
    return [percent(rate), String(alpha), stopped(found), count(found.median), count(found.p95), count(found.events)];
  });
  return {
    title: 'SLO: broken',
    text: `A canary at 100 %, of which at most 1 % may fail; ${count(runs)} runs of 100,000 requests each. The last row is at the limit itself.`,
    head: ['canary fails', 'alpha', 'taken back', 'requests, median', 'p95', 'failures'],
    rows,
  };
}

export function sloProved(runs: number, random: Random): Table {
  const proof = 0.05;
  const rows = [0, 0.001, 0.003, LIMIT].map((rate) => {
    const proved: number[] = [];
    for (let i = 0; i < runs; i++) {
      const at = provedAt(rate, proof, 100_000, random);
      if (at !== null) proved.push(at);
    }
    proved.sort((a, b) => a - b);
    const quantile = (part: number) => count(proved[Math.ceil(part * proved.length) - 1] ?? Number.NaN);
    return [percent(rate), percent(proved.length / runs), quantile(0.5), quantile(0.95)];
  });
  return {
    title: 'SLO: proved',
    text:
      `Requests until it is proved that fewer than 1 % fail, with 5 % for a false proof; ${count(runs)} runs of up to 100,000 requests each. ` +
      `The last row is at the limit itself, where a proof is false. Without failures 99.5 % take ${count(requestsToProve(0, 0, 0.005, proof)!)} ` +
      `requests, 99.9 % take ${count(requestsToProve(0, 0, 0.001, proof)!)}.`,
    head: ['canary fails', 'proved', 'requests, median', 'p95'],
    rows,
  };
}

/** Evidence grows with every request that does not fail, so it is largest just before the next failure. */
function provedAt(rate: number, alpha: number, longest: number, random: Random): number | null {
  let requests = 0;
  for (let failures = 0; requests < longest; failures++) {
    const clean = Math.min(gap(random, rate) - 1, longest - requests);
    if (sloGood(failures, requests + clean, LIMIT) >= -Math.log(alpha))
      return requests + requestsToProve(failures, requests, LIMIT, alpha)!;
    requests += clean + 1;
  }
  return null;
}

export function misdealt(runs: number, random: Random): Table {
  const alpha = 0.05;
  const rows = [
    { name: 'dealt by chance at 10 %', actual: 0.1 },
    { name: '12 % instead of 10 %', actual: 0.12 },
    { name: '20 % instead of 10 %', actual: 0.2 },
    { name: 'none instead of 10 %', actual: 0 },
  ].map(({ name, actual }) => {
    const found: number[] = [];
    for (let i = 0; i < runs; i++) {
      const at = mismatchAt(actual, alpha, random);
      if (at !== null) found.push(at);
    }
    found.sort((a, b) => a - b);
    return [name, percent(found.length / runs), count(found[Math.ceil(found.length / 2) - 1] ?? Number.NaN)];
  });
  return {
    title: 'A split that is not what was set',
    text:
      `Alpha is 5 %, looked at after every 10 requests, 20,000 requests, ${count(runs)} runs each. Sluice deals keyless requests exactly, ` +
      'so a false alarm is rarer than in the first row, where they are dealt by chance.',
    head: ['', 'found', 'requests, median'],
    rows,
  };
}

function mismatchAt(actual: number, alpha: number, random: Random): number | null {
  let dealt = 0;
  for (let requests = 10; requests <= 20_000; requests += 10) {
    for (let i = 0; i < 10; i++) if (random.next() < actual) dealt++;
    const counts = { share: 0.1, canary: keyless(dealt), stable: keyless(requests - dealt) };
    if (misdealtLogE([counts]) >= -Math.log(alpha)) return requests;
  }
  return null;
}

const keyless = (requests: number): SideCounts => ({
  trials: requests,
  keyless: requests,
  failed: 0,
  counted: 0,
  slow: 0,
  ended: requests,
  aborted: 0,
  userErrors: 0,
  left: 0,
  late: 0,
});

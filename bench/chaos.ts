/**
 * What users see when upstreams die: the scenarios of test/peers/chaos.test.ts, longer and with figures.
 *
 * Every process is its own: upstreams, `sluice run` with two workers, the client. The client is an open loop, so latencies count from when a
 * request was due and a pause of the proxy is in them in full. Upstreams, proxy and client share the machine's cores, and so the latencies are those
 * of a small busy machine; errors and failed attempts do not depend on that. An error in a scenario that must have none is printed, and ends
 * the run with exit code 1.
 *
 *     node bench/chaos.ts        about three minutes; writes bench/results/chaos.md
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { endureAll, type Outcome, type RunLength, type Scenario } from '../test/peers/chaos-faults.ts';
import type { VersionCounts } from '../test/peers/chaos-messages.ts';
import { protectedScenarios, unprotected } from '../test/peers/chaos-scenarios.ts';
import { describeMachine } from './machine.ts';

const LENGTH: RunLength = { before: 2_000, after: 6_000, back: 100 };
const FAILURES = ['connectFailures', 'resets', 'timeouts', 'malformed', 'status5xx'];

const HEADER = [
  '| scenario | fault | requests | per second | errors | failed attempts | shielded | retried | failed over | p50 | p99 | max | back after |',
  '|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
];

const sum = (counts: readonly VersionCounts[], ...names: readonly string[]): number =>
  counts.reduce((total, each) => total + names.reduce((part, name) => part + (each[name] ?? 0), 0), 0);

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

function row({ name }: Scenario, outcome: Outcome): string {
  const { fault, requests, rate, errors, errorCount, latency, returnTime } = outcome;
  const counts = Object.entries(outcome.counts).flatMap(([key, each]) => (key === 'worker' ? [] : [each]));
  const kinds = Object.entries(errors).map(([kind, count]) => `${count} × ${kind}`);
  const cells = [
    name,
    `${fault.kind} ${fault.victims.join(' and ')}`,
    requests.toLocaleString('en'),
    Math.round(rate).toLocaleString('en'),
    errorCount === 0 ? '**0**' : `${errorCount} (${kinds.join(', ')})`,
    sum(counts, ...FAILURES),
    sum(counts, 'shielded'),
    sum(counts, 'retries'),
    sum(counts, 'failovers'),
    ms(latency.p50),
    ms(latency.p99),
    ms(latency.max),
    ms(returnTime),
  ];
  return `| ${cells.join(' | ')} |`;
}

const rows: string[] = [];
let unexpected = 0;
for (const scenario of [...protectedScenarios, unprotected]) {
  const { outcomes, total } = await endureAll(scenario, LENGTH);
  for (const outcome of outcomes) {
    rows.push(row(scenario, outcome));
    console.log(rows.at(-1));
  }
  const errors = Object.values(total.errors).reduce((all, count) => all + count, 0);
  if (scenario !== unprotected) unexpected += errors;
}

const machine = describeMachine();
const where = `${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${process.version}`;
const lines = [
  '# What users see when upstreams die',
  '',
  'Made by `node bench/chaos.ts`; do not edit. Three endpoints of stable (v1-a, v1-b, v1-c) and a canary (v2) at 10 %, each a process; two',
  'workers; 50 connections. Configurations: test/peers/chaos-scenarios.ts, explained in docs/failures.md.',
  '',
  ...HEADER,
  ...rows,
  '',
  '`requests`: made while the fault lasted. `errors`: everything but a right answer, as the client saw it. Further counts, rate and latencies are',
  'from the fault to the return of the victims; `back after`: from the end of the fault, a restart of the process included, to 100 answers of every victim.',
  '',
  `${where}, ${new Date().toISOString().slice(0, 10)}`,
  '',
];
mkdirSync(new URL('results/', import.meta.url), { recursive: true });
writeFileSync(new URL('results/chaos.md', import.meta.url), lines.join('\n'));
if (unexpected > 0) {
  console.error(`${unexpected} errors reached the client`);
  process.exitCode = 1;
}

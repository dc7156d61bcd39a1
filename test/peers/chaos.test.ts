/**
 * Failures that users do not see: real upstreams are killed, stopped and spoilt under 2,000 requests per second, and the client gets a
 * right answer to every request.
 *
 * Nothing here is asserted about time. Zero errors only mean something if requests were made while the fault lasted and met it, so
 * their number, the counters of the proxy and its log are looked at as well; and the last test has the same fault with nothing switched on.
 */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { parseConfig } from '../../src/control/config/load.ts';
import { type Endured, endureAll, type Outcome, type RunLength, type Scenario } from './chaos-faults.ts';
import type { VersionCounts } from './chaos-messages.ts';
import {
  absent,
  blackHole,
  CANARY,
  everyPolicy,
  killed,
  misbehaving,
  unprotected,
  unshielded,
  uploads,
} from './chaos-scenarios.ts';
import { LANES, SPLIT } from './chaos-stage.ts';

/** Seven stages of processes, one after the other; tap's own limit is for a single one. */
t.setTimeout(120_000);

const LENGTH: RunLength = { before: 400, after: 1_000, back: 20 };

/** Runs it and asserts what holds for every scenario in which users must not notice anything. */
async function unnoticed(t: Test, scenario: Scenario): Promise<Endured> {
  const endured = await endureAll(scenario, LENGTH);
  const { outcomes, total } = endured;
  t.equal(outcomes.length, scenario.faults.length);
  for (const { fault, requests, errors, rate } of outcomes) {
    const what = `${fault.kind} ${fault.victims.join(' and ')}`;
    t.strictSame(errors, {}, `${what}: no error at ${Math.round(rate)} requests per second`);
    t.ok(requests >= LENGTH.after, `${what}: ${requests} requests while it lasted`);
  }
  t.strictSame(total.errors, {}, 'no error before, between and after');
  const answered = Object.values(total.answers).reduce((sum, count) => sum + count, 0);
  t.equal(answered, total.made, 'every request has been answered');
  return endured;
}

const count = (counts: VersionCounts | undefined, ...names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (counts?.[name] ?? 0), 0);

const FAILURES = ['connectFailures', 'resets', 'timeouts', 'malformed', 'status5xx'];

/** The fault has been met, and it was the shield or a retry that hid it. */
function wasHidden(t: Test, { fault, counts }: Outcome, service = 'shop'): void {
  const what = `${service}: ${fault.kind} ${fault.victims.join(' and ')}`;
  const canary = counts[`${service}/v2`];
  const stable = counts[`${service}/v1`];
  if (fault.victims.includes(CANARY)) {
    t.ok(count(canary, ...FAILURES) > 0, `${what}: the canary failed`);
    t.ok(count(canary, 'shielded') > 0, `${what}: stable answered for it`);
  }
  if (fault.victims.some((victim) => victim !== CANARY)) {
    t.ok(count(stable, ...FAILURES) > 0, `${what}: stable failed`);
    t.ok(count(stable, 'retries') > 0, `${what}: it was tried again`);
  }
  t.equal(count(canary, 'retriesDenied') + count(stable, 'retriesDenied'), 0, `${what}: within the budget`);
}

/** The canary was given up for as long as it was away. */
function failedOver(t: Test, { fault, counts }: Outcome, service = 'shop'): void {
  if (!fault.victims.includes(CANARY)) return;
  t.ok(count(counts[`${service}/v2`], 'failovers') > 0, `${service}: ${fault.kind}: failover to stable`);
}

function logged(t: Test, log: readonly string[], event: string): void {
  t.ok(
    log.some((line) => line.includes(`"event":"${event}"`)),
    `the log has ${event}`,
  );
}

t.test('docs/failures.md shows the configuration that is tested here', async (t) => {
  const page = readFileSync(new URL('../../docs/failures.md', import.meta.url), 'utf8');
  const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
  t.doesNotThrow(() => parseConfig(example, 'failures.md', {}));
  const { versions: _, lanes, split, ...protection } = parse(example).services.shop;
  t.strictSame(protection, blackHole.services.shop);
  t.strictSame({ lanes, split }, { lanes: LANES, split: SPLIT });
});

t.test('the canary, a stable endpoint, and both at once are killed', async (t) => {
  const { outcomes, log } = await unnoticed(t, killed);
  for (const outcome of outcomes) {
    wasHidden(t, outcome);
    failedOver(t, outcome);
    t.equal(outcome.victimAnswers, 0, 'the dead do not answer');
  }
  for (const event of ['endpoint_ejected', 'endpoint_unhealthy', 'endpoint_healthy', 'endpoint_returned']) {
    logged(t, log, event);
  }
});

t.test('a stable endpoint is killed under every balancing policy', async (t) => {
  const { outcomes } = await unnoticed(t, everyPolicy);
  for (const outcome of outcomes) {
    for (const policy of Object.keys(everyPolicy.services)) wasHidden(t, outcome, policy);
    t.equal(outcome.victimAnswers, 0, 'the dead do not answer');
  }
});

t.test('SIGSTOP: connections are accepted and nothing is answered', async (t) => {
  const { outcomes } = await unnoticed(t, blackHole);
  for (const outcome of outcomes) {
    wasHidden(t, outcome);
    failedOver(t, outcome);
    const version = outcome.fault.victims.includes(CANARY) ? 'shop/v2' : 'shop/v1';
    t.ok(count(outcome.counts[version], 'timeouts') > 0, 'attempts timed out');
  }
});

t.test('resets, 503, garbage and late answers', async (t) => {
  const { outcomes } = await unnoticed(t, misbehaving);
  const met: Readonly<Record<string, string>> = {
    reset: 'resets',
    error503: 'status5xx',
    garbage: 'malformed',
    slow: 'timeouts',
  };
  for (const outcome of outcomes) {
    wasHidden(t, outcome);
    const { kind } = outcome.fault;
    for (const version of ['shop/v1', 'shop/v2']) {
      t.ok(count(outcome.counts[version], met[kind] ?? '') > 0, `${kind} is counted as ${met[kind]} of ${version}`);
    }
  }
});

t.test('PUT of 10 KiB: no error, and no body that is not whole', async (t) => {
  const { outcomes } = await unnoticed(t, uploads);
  for (const outcome of outcomes) wasHidden(t, outcome);
});

t.test('an endpoint of stable and the canary are not there from the start', async (t) => {
  const { outcomes, log } = await unnoticed(t, absent);
  for (const outcome of outcomes) {
    wasHidden(t, outcome, 'unchecked');
    for (const service of Object.keys(absent.services)) failedOver(t, outcome, service);
    t.equal(outcome.victimAnswers, 0, 'who is not there does not answer');
  }
  for (const event of ['endpoint_ejected', 'endpoint_unhealthy', 'endpoint_healthy']) logged(t, log, event);
});

t.test('a request that fails over between two attempts leaves no trace: the canary has its share back', async (t) => {
  const { outcomes, total } = await endureAll(unshielded, LENGTH);
  for (const { counts } of outcomes) {
    t.ok(count(counts['shop/v2'], 'retries') > 0, 'the canary was tried again');
    t.ok(count(counts['shop/v2'], 'failovers') > 0, 'and failed over');
    t.equal(count(counts['shop/v2'], 'overflows'), 0);
  }
  for (const kind of Object.keys(total.errors))
    t.match(kind, /^status 50[23] U[FC]$/, `${kind}: the failure of an attempt`);
});

t.test('the faults are real: with nothing switched on, users see them', async (t) => {
  const { outcomes, total } = await endureAll(unprotected, LENGTH);
  for (const { fault, errorCount, requests } of outcomes) {
    t.ok(requests >= LENGTH.after, `${requests} requests while ${fault.victims[0]} was dead`);
    t.ok(errorCount > 0, `${errorCount} errors`);
  }
  const answered = Object.values(total.answers).reduce((sum, count) => sum + count, 0);
  const failed = Object.values(total.errors).reduce((sum, count) => sum + count, 0);
  t.equal(answered + failed, total.made, 'each request is either an answer or an error');
});

/**
 * Preflight: whether a version is fit to be shown to users, asked before any of them gets it.
 *
 *     healthy? ──yes──▶ warm-up ──warm──▶ smoke tests ──all right──▶ passed
 *        └────────────────┴───────────────────┴──no, or time is up──▶ failed
 *
 * Each part begins when the one before has passed: requests to a dead process are no warm-up, and a cold process fails its latency test for no good
 * reason. Within the smoke tests all are done, whatever comes of the first, because who reads the report wants to know everything that is wrong.
 *
 * Health is waited for, since a process that was started a moment ago becomes healthy within the time; it is looked at ten times a second, which
 * costs reading a few flags. Everything that is not done when the time is up has failed. No endpoints: not healthy. Nothing asked for: passed.
 */
import type { PreflightConfig } from '../../../model/rollout-config.ts';
import { atMost } from './at-most.ts';
import { smokeTest } from './http-check.ts';
import { PreflightReport } from './preflight-report.ts';
import type { Finding, TaskRun, TaskTarget } from './task.ts';
import { TimeLimit } from './time-limit.ts';
import { warmUp } from './warm-up.ts';

/** Milliseconds between two looks at the endpoints' health. */
export const LOOK = 100;
const ENDPOINTS_AT_A_TIME = 4;

export async function preflight(config: PreflightConfig, run: TaskRun): Promise<Finding> {
  const { target, clock, signal } = run;
  const limit = new TimeLimit(clock, config.timeout, signal);
  const report = new PreflightReport();
  let under = 'waiting for healthy endpoints';
  try {
    if (config.health) await waitForHealth(target, limit, report);
    if (config.warmUp !== null && report.firstFailure === null && !limit.over) {
      under = 'warming up';
      await warmUp(config.warmUp, target, run, limit.signal, report);
    }
    if (config.smoke.length > 0 && report.firstFailure === null && !limit.over) {
      under = 'smoke testing';
      await smokeTests(config, run, limit, report);
    }
  } finally {
    limit.end();
  }
  return findingOf(config, limit.expired ? under : null, target, report);
}

async function waitForHealth(target: TaskTarget, limit: TimeLimit, report: PreflightReport): Promise<void> {
  let endpoints = target.healthy();
  const ready = (): boolean => endpoints.length > 0 && endpoints.every(({ available }) => available);
  while (!ready() && !limit.over) {
    await limit.wait(LOOK);
    endpoints = target.healthy();
  }
  if (endpoints.length === 0) report.add(false, `health: ${target.version} has no endpoints`);
  for (const { url, available, why } of endpoints) {
    report.add(available, `health of ${url}: ${available ? 'available' : why === '' ? 'not available' : why}`);
  }
}

/** Test after test, so that what one of them leaves behind is there for the next; the endpoints of one test side by side. */
async function smokeTests(
  { smoke }: PreflightConfig,
  run: TaskRun,
  limit: TimeLimit,
  report: PreflightReport,
): Promise<void> {
  const { target } = run;
  const places = target.proxy === null ? target.endpoints : [null];
  if (places.length === 0) report.add(false, `smoke tests: ${target.version} has no endpoints`);
  for (const check of smoke) {
    await atMost(ENDPOINTS_AT_A_TIME, places, async (place) => {
      if (limit.over) report.add(false, `smoke test ${check.name} ${check.method} ${check.path}: not asked`);
      else await smokeTest(check, place, target, run, limit, report);
    });
  }
}

/** @param late what was under way when the time was up; null: it was not. */
function findingOf(
  { timeout }: PreflightConfig,
  late: string | null,
  { version }: TaskTarget,
  report: PreflightReport,
): Finding {
  const { firstFailure, failures, count } = report;
  const output = report.text();
  const more = failures > 1 ? ` (and ${failures - 1} more)` : '';
  if (late !== null) {
    const reason = firstFailure === null ? '' : `; ${firstFailure}${more}`;
    return { ok: false, message: `the preflight of ${version} was still ${late} after ${timeout} ms${reason}`, output };
  }
  if (firstFailure !== null)
    return { ok: false, message: `the preflight of ${version} failed: ${firstFailure}${more}`, output };
  return {
    ok: true,
    message: `the preflight of ${version} passed, ${count} ${count === 1 ? 'check' : 'checks'}`,
    output,
  };
}

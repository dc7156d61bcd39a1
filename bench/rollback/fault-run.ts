/**
 * One run: a rollout to 10 % whose canary goes wrong, from its first failure to the last request that it got.
 *
 * The time is the canary's own: from when the first request came in that it was to spoil, until when the last request of any kind came in, both
 * by the same process on the system's clock. So the time that the first failure needed to be answered is in it. A killed process notes nothing;
 * there it is from the kill to the moment in which Sluice closed the version. Failed attempts are those that the canary spoilt, of a killed one
 * those that Sluice counted. Users' errors are what the client noticed, from before the fault until everything that was open has ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RolloutReport, RolloutView } from '../../src/control/rollout/view.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { FaultPlan } from './faults.ts';
import { type UpstreamCounts, WELL, wall } from './messages.ts';
import type { RollbackStage, Upstream } from './stage.ts';

export const WEIGHT = 10;
/** Requests that are awaited behind a rollback, to see that the canary gets none of them. */
const AFTERWARDS = 200;
const POLL = 10;

export interface FaultResult {
  readonly takenBack: boolean;
  /** Milliseconds until the canary had nothing more; null where it was not taken back. */
  readonly time: number | null;
  readonly failed: number;
  readonly userErrors: number;
  /** Cause and test, such as `evidence: errors`. */
  readonly foundBy: string;
  /** As the controller has it, from the first failed attempt: switch, decision, acknowledgement of every worker. */
  readonly own: { readonly closed: number; readonly decided: number; readonly acknowledged: number } | null;
  /** What was wrong with the run, beside figures. */
  readonly remarks: readonly string[];
}

export interface Roles {
  readonly stable: Upstream;
  readonly canary: Upstream;
}

/** Which upstream is which; the version that is not stable is rolled out. */
export async function rolesOf(stage: RollbackStage, service: string): Promise<Roles> {
  const { stable } = await stage.traffic(service);
  return stable === stage.v1.name ? { stable: stage.v1, canary: stage.v2 } : { stable: stage.v2, canary: stage.v1 };
}

/** Polls the rollout until `is`; null where that takes longer than `limit` milliseconds. */
export async function phaseOf(
  stage: RollbackStage,
  id: string,
  limit: number,
  is: (view: RolloutView) => boolean,
): Promise<RolloutView | null> {
  for (const end = performance.now() + limit; performance.now() < end; await pause(POLL)) {
    const view = await stage.rollout(id);
    if (is(view)) return view;
  }
  return null;
}

const isOver = ({ phase }: RolloutView): boolean => ['RolledBack', 'Failed', 'Succeeded'].includes(phase);

export async function runFault(stage: RollbackStage, plan: FaultPlan, random: Random): Promise<FaultResult> {
  const { service, method, fault, latency, begins, bound, strategy } = plan;
  const { stable, canary } = await rolesOf(stage, service);
  await stage.aim({ service, method, users: null });
  await stable.behave({ ...WELL, latency });
  await canary.behave(begins === null ? fault : { ...WELL, latency });
  const { errors: before } = await stage.settled();

  const steps = [{ name: 'tenth', weight: WEIGHT, for: `${bound / 1_000 + 60}s` }];
  const id = await stage.start(service, canary.name, { ...strategy, steps });
  let killedAt = 0;
  if (begins !== null) {
    await phaseOf(stage, id, bound, ({ weight }) => weight === WEIGHT);
    const [from, to] = begins;
    await pause(from + (to - from) * random.next());
    killedAt = wall();
    if (plan.crash) await canary.kill();
    else await canary.behave(fault);
  }
  const view = await phaseOf(stage, id, bound, isOver);
  if (view === null) await stage.say(id, 'abort');
  await phaseOf(stage, id, bound, isOver);
  await stage.requests(AFTERWARDS);
  const { errors: after } = await stage.settled();
  const counts = plan.crash ? null : await canary.counts();
  const report = await stage.report(id);
  if (plan.crash) await revive(stage, service, canary);
  return resultOf({ view, report, counts, killedAt, userErrors: after - before });
}

/** Starts a killed canary again, and waits until its health checks say so. */
async function revive(stage: RollbackStage, service: string, canary: Upstream): Promise<void> {
  await canary.start();
  interface Endpoints {
    readonly versions: readonly {
      readonly name: string;
      readonly endpoints: readonly { readonly available: boolean }[];
    }[];
  }
  for (let available = false; !available; await pause(POLL)) {
    const { body } = await stage.admin.call<Endpoints>('GET', `/api/v1/services/${service}`);
    available = body.versions.find(({ name }) => name === canary.name)?.endpoints[0]?.available === true;
  }
}

interface Seen {
  readonly view: RolloutView | null;
  readonly report: RolloutReport;
  readonly counts: UpstreamCounts | null;
  readonly killedAt: number;
  readonly userErrors: number;
}

function resultOf({ view, report, counts, killedAt, userErrors }: Seen): FaultResult {
  const { decision, phase, rollback } = report;
  const isBack = view?.phase === 'RolledBack' && decision?.by === 'sluice';
  // Taken back with nothing wrong: a false alarm, whatever came after it.
  const isEarly =
    isBack &&
    (counts === null ? decision.at !== undefined && Date.parse(String(decision.at)) < killedAt : counts.spoilt === 0);
  const takenBack = isBack && !isEarly;
  const at = (time: string | number | null | undefined): number =>
    time == null ? Number.NaN : Date.parse(String(time));
  const first = at(decision?.firstFailureAt);
  const closed = at(decision?.closedAt);
  const time = counts === null ? closed - killedAt : counts.lastAt - counts.firstSpoiltAt;
  const remarks = [
    ...(isEarly ? [`taken back before anything was wrong: ${report.outcome}`] : []),
    ...(isBack ? [] : [`not taken back: ${phase}, ${report.outcome ?? 'no reason'}`]),
    ...(rollback?.verified?.ok === false ? rollback.verified.differences : []),
  ];
  return {
    ...{ takenBack, userErrors, remarks },
    time: takenBack ? time : null,
    failed: counts === null ? (report.totals.canary?.errors ?? 0) : counts.spoilt,
    foundBy: isEarly ? 'false alarm' : decision === null ? 'nothing' : `${decision.cause}${testOf(report)}`,
    own: takenBack
      ? { closed: closed - first, decided: at(decision.at) - first, acknowledged: at(decision.acknowledgedAt) - first }
      : null,
  };
}

function testOf({ decision }: RolloutReport): string {
  const verdict = decision?.evidence?.verdict ?? null;
  return decision?.cause === 'evidence' && verdict !== null ? `: ${verdict.test}` : '';
}

/**
 * What can happen to an upstream under load, and what came of it: the scenarios that the tests judge and the benchmark prints.
 *
 * A run strikes one fault after the other: some requests while all is well, the fault, `after` requests while it lasts, recovery, and traffic
 * on the victims again. Everything is counted in requests, never in time. Each fault yields the difference between what the client and the
 * proxy say before it and after it.
 */
import type { ClientReport, Latency, Manner, ProxyCounts } from './chaos-messages.ts';
import { Stage, type StagePlan, type Upstream } from './chaos-stage.ts';

/** `absent`: not running from the start. */
export type FaultKind = 'kill' | 'stop' | 'absent' | Exclude<Manner, 'well'>;

export interface Fault {
  readonly kind: FaultKind;
  /** Names of upstreams that it hits at once. */
  readonly victims: readonly string[];
}

export interface Scenario extends StagePlan {
  readonly name: string;
  readonly faults: readonly Fault[];
}

export interface RunLength {
  /** Requests before the first fault and between two of them. */
  readonly before: number;
  /** Requests while a fault lasts. */
  readonly after: number;
  /** Right answers of a victim that show that it is back. */
  readonly back: number;
}

/** What one fault did; counts are those between the fault and the return of its victims. */
export interface Outcome {
  readonly fault: Fault;
  readonly requests: number;
  /** Requests per second that were reached. */
  readonly rate: number;
  readonly skipped: number;
  /** By kind, and their sum. */
  readonly errors: Readonly<Record<string, number>>;
  readonly errorCount: number;
  /** Right answers of the victims while the fault lasted. */
  readonly victimAnswers: number;
  /** Of the proxy, by `service/version`; what did not change is left out. */
  readonly counts: ProxyCounts;
  readonly latency: Latency;
  /** From the end of the fault, restarts included, until every victim had given its answers again, milliseconds. */
  readonly returnTime: number;
}

async function strike(upstream: Upstream, kind: FaultKind): Promise<void> {
  switch (kind) {
    case 'absent':
      return;
    case 'kill':
      return upstream.kill();
    case 'stop':
      return upstream.stop();
    default:
      return upstream.behave(kind);
  }
}

async function recover(upstream: Upstream, kind: FaultKind): Promise<void> {
  switch (kind) {
    case 'absent':
    case 'kill':
      return upstream.start();
    case 'stop':
      return upstream.continue();
    default:
      return upstream.behave('well');
  }
}

const difference = (
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Record<string, number> => {
  const changes = Object.entries(after).map(([key, value]) => [key, value - (before[key] ?? 0)] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
};

async function endure(stage: Stage, fault: Fault, length: RunLength): Promise<Outcome> {
  const { kind, victims } = fault;
  const onAll = async (act: (victim: string) => Promise<void>): Promise<void> => {
    await Promise.all(victims.map(act));
  };
  const answersOfAll = ({ answers }: ClientReport): number =>
    victims.reduce((sum, name) => sum + (answers[name] ?? 0), 0);
  if (kind !== 'absent') await stage.requests(length.before);
  const before = await stage.seen();
  await stage.latency();
  // What is absent has been met by the first request already.
  const counted = kind === 'absent' ? {} : await stage.counted();
  await onAll((victim) => strike(stage.upstream(victim), kind));
  const struck = await stage.seen();
  await stage.requests(length.after);
  const lasted = await stage.seen();
  const healing = performance.now();
  await onAll((victim) => recover(stage.upstream(victim), kind));
  for (const victim of victims) await stage.answersOf(victim, length.back);
  const returnTime = performance.now() - healing;
  const after = await stage.seen();
  const counts = Object.entries(await stage.counted());
  const errors = difference(after.errors, kind === 'absent' ? {} : before.errors);
  return {
    fault,
    requests: lasted.made - struck.made,
    rate: ((after.made - before.made) * 1_000) / (after.elapsed - before.elapsed),
    skipped: after.skipped - before.skipped,
    errors,
    errorCount: Object.values(errors).reduce((sum, count) => sum + count, 0),
    victimAnswers: answersOfAll(lasted) - answersOfAll(struck),
    counts: Object.fromEntries(counts.map(([name, now]) => [name, difference(now, counted[name] ?? {})])),
    latency: await stage.latency(),
    returnTime,
  };
}

export interface Endured {
  readonly outcomes: readonly Outcome[];
  /** Of the whole run, when every request was over. */
  readonly total: ClientReport;
  readonly log: readonly string[];
}

export async function endureAll(scenario: Scenario, length: RunLength): Promise<Endured> {
  const stage = await Stage.open(scenario);
  try {
    const outcomes: Outcome[] = [];
    for (const fault of scenario.faults) outcomes.push(await endure(stage, fault, length));
    return { outcomes, total: await stage.finish(), log: stage.log };
  } catch (error) {
    const seen = JSON.stringify(await stage.seen());
    throw new Error(`${scenario.name}: ${String(error)}\n${seen}\n${stage.log.join('\n')}`);
  } finally {
    await stage.close();
  }
}

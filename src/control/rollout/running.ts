/**
 * A rollout that is not over, with everything that measures for it: its row of evidence, its meters, the health of its endpoints.
 *
 * What is kept of a rollout is plain data (rollout.ts); this is the living part, made at the start and again after a restart, and thrown away
 * at the end. It decides nothing: `observe` says what is seen, and reconcile.ts what follows.
 *
 * The soak time of a look is what passed since the look before, and at most MOST_ELAPSED: a process that was stopped, or that stood still, has
 * seen nothing meanwhile and may not call it watching.
 */
import type { SluiceConfig } from '../../model/config.ts';
import { VERSION_SLOTS, versionSlot, type WorkerMemory } from '../../model/counters.ts';
import { type EndpointTable, flagsOf } from '../../model/endpoint-table.ts';
import type { FailedRequest, ShareCounts, SwitchCause } from '../../model/evidence-table.ts';
import type { Snapshot, VersionSnapshot } from '../../model/snapshot.ts';
import type { Clock } from '../../runtime/clock.ts';
import { evaluate, evaluateRule } from '../analysis/evaluate.ts';
import { judgeEvidence, thresholdOf } from '../analysis/evidence.ts';
import { costOf, START_EVERY, STARTS, type Start } from '../analysis/fresh-starts.ts';
import type { ProviderReadings } from '../analysis/providers/provider-readings.ts';
import { RolloutMetrics } from '../analysis/rollout-metrics.ts';
import { SlowWindows } from '../analysis/slow-windows.ts';
import { bothAreDown, countedSince, stableFailsToo } from '../analysis/stable-fails.ts';
import type { ConditionResult, EvidenceReading, MetricReader, Side } from '../analysis/verdict.ts';
import { VersionMeter } from '../analysis/version-meter.ts';
import { summaryOf, type VersionTotals } from '../analysis/version-totals.ts';
import type { PushedMetrics } from '../change/pushed-metrics.ts';
import { Turnstile } from '../change/turnstile.ts';
import type { OperationError } from '../problems.ts';
import type { Compared, EvidenceRows } from './evidence-rows.ts';
import { conditionsOf } from './judge-step.ts';
import type { Observation } from './observation.ts';
import { type FailedRequestRecord, isOver, type Rollout, type VersionSummary } from './rollout.ts';

const MOST_ELAPSED = 2_000;
const KEPT_FAILURES = 20;
/** Stable's answers that its percentile needs before anything is called slow. */
const LEAST_ANSWERS = 100;
const PERCENTILE_WINDOW = 300_000;
const NOBODY: ReadonlySet<number> = new Set();
const COLD_REQUESTS = 30;

export interface RunningParts {
  readonly rows: EvidenceRows;
  readonly memories: readonly WorkerMemory[];
  readonly endpoints: EndpointTable;
  readonly snapshot: () => Snapshot;
  readonly config: () => SluiceConfig;
  readonly pushed: PushedMetrics;
  readonly providers: ProviderReadings;
  /** Endpoints whose checks cannot be believed to be well: none has ended yet, or the last one failed. None where left out. */
  readonly doubted?: () => ReadonlySet<number>;
  readonly clock: Clock;
}

interface StepMark {
  readonly totals: VersionTotals;
  readonly userErrors: number;
  /** What was counted of the same step before a restart. */
  readonly before: VersionSummary | null;
}

/** What only the controller knows. */
export type Circumstances = Pick<Observation, 'blocked' | 'frozen' | 'unapproved'>;

export class RunningRollout {
  /** The newest state. */
  rollout: Rollout;
  readonly row: number;
  readonly #parts: RunningParts;
  readonly metrics: RolloutMetrics;
  #compared: Compared | null = null;
  #assigned = Number.NaN;
  #lastLook: number | null = null;
  /** How long the version has been seen without an endpoint; null while it has one. */
  #unavailable: number | null = null;
  #failures: readonly FailedRequestRecord[];
  readonly #windows = new SlowWindows();
  #past: readonly (Start<readonly ShareCounts[]> & { readonly at: number })[] = [];
  #starts = 0;
  readonly #meters: Readonly<Record<Side, VersionMeter>>;
  /** Where the present step began. */
  #from: Readonly<Record<Side, StepMark>>;
  /** One thing at a time is done to it. */
  readonly turnstile = new Turnstile();
  /** A look that has not begun yet. */
  nextLook: Promise<void> | null = null;
  /** Its version has been closed by this thread, and stays so until somebody lets it go on. */
  closed = false;
  /** What is being written down is newer than `rollout`. */
  isKeeping = false;
  /** Why the last turn could be neither kept nor done; null where it could. */
  trouble: string | null = null;
  /** What the quick watch saw last. */
  watched: { readonly failures: number; readonly cause: SwitchCause | null } = { failures: 0, cause: null };
  /** Why its way back, which goes on, is not kept; null where it is. */
  unkept: OperationError | null = null;
  /** Clock time before which nothing that has just failed is tried again. */
  notBefore = Number.NEGATIVE_INFINITY;
  /** The way back has been tried since something failed. */
  #triedBack = false;

  constructor(rollout: Rollout, row: number, parts: RunningParts) {
    const { rows, memories, snapshot, pushed, providers, clock } = parts;
    const { service, version, stable, strategy } = rollout;
    this.rollout = rollout;
    this.row = row;
    this.#parts = parts;
    this.#failures = rollout.failures;
    // Its own counts come first: the marks below are taken of them.
    rows.begin(row, strategy.evidence, rollout.counted, rollout.forgiven);
    // What failed before a restart is no outage of now.
    this.#past = [{ at: clock.now(), from: rows.read(row), cost: costOf(++this.#starts) }];
    const meters = {
      canary: new VersionMeter(memories, snapshot, service, version),
      stable: new VersionMeter(memories, snapshot, service, stable),
    };
    this.#meters = meters;
    const open = rollout.steps.findLast(({ endedAt }) => endedAt === null);
    this.#from = {
      canary: this.#mark('canary', open?.canary ?? null),
      stable: this.#mark('stable', open?.stable ?? null),
    };
    this.metrics = new RolloutMetrics({
      ...meters,
      evidence: () => rows.read(row),
      pushed: (name) => pushed.of(service, name),
      ...{ providers, clock, strategy, names: { service, canary: version, stable } },
    });
  }

  /** Where the versions are in shared memory; null where one of them is not in the snapshot. */
  get compared(): Compared | null {
    return this.#compared;
  }

  get failures(): readonly FailedRequestRecord[] {
    return this.#failures;
  }

  /** Takes up the places and weights of a snapshot; call in the moment in which workers get them. */
  settle(snapshot: Snapshot): void {
    const { rows } = this.#parts;
    const { service, version, stable } = this.rollout;
    const found = snapshot.services.find(({ name }) => name === service);
    const canary = found?.versions.find(({ name }) => name === version);
    const base = found?.versions.find(({ name }) => name === stable);
    // Of one that waits or is over nothing is compared: the versions may be another rollout's now.
    const isOn = this.rollout.phase !== 'Queued' && !isOver(this.rollout.phase);
    const next = !isOn || canary === undefined || base === undefined ? null : { canary: canary.id, stable: base.id };
    if (next?.canary !== this.#compared?.canary || next?.stable !== this.#compared?.stable) {
      if (this.#compared !== null) rows.compareNoMore(this.#compared);
      this.#compared = next;
      this.#assigned = Number.NaN;
    }
    if (next === null) return;
    const [mine, theirs] = [canary?.weight ?? 0, base?.weight ?? 0];
    // One that is closed gets nobody, whatever its weight: what stable fails meanwhile is compared with nothing.
    const share = this.closed || mine + theirs === 0 ? 0 : mine / (mine + theirs);
    if (share === this.#assigned) return;
    rows.assign(this.row, share);
    // Marks come last: workers look at a row only when it says everything.
    if (Number.isNaN(this.#assigned)) rows.compare(this.row, next);
    this.#assigned = share;
  }

  /** A failed attempt that a worker tells of. */
  noteFailure({ row: _row, use: _use, ...request }: FailedRequest): void {
    this.#failures = [...this.#failures.slice(-(KEPT_FAILURES - 1)), request];
  }

  /** Conditions and what is slow begin anew, and with `step` what its record says. */
  measureAnew(step: boolean): void {
    if (step) this.#from = { canary: this.#mark('canary', null), stable: this.#mark('stable', null) };
    this.metrics.stepBegan();
    this.#parts.rows.slowFrom(this.row, 0);
  }

  /**
   * Whether the next turn may be tried now. The way back does not wait for what has failed before it; one that fails itself waits as well: its
   * version is closed already, and each try is a row of the audit.
   */
  mayTry(isWayBack: boolean): boolean {
    if (this.#parts.clock.now() >= this.notBefore) {
      this.#triedBack = false;
      return true;
    }
    if (!isWayBack || this.#triedBack) return false;
    this.#triedBack = true;
    return true;
  }

  /** Once a second. */
  tick(): void {
    this.metrics.tick();
    this.#remember();
    this.#renewSlowLimit();
  }

  #noteWindow(counts: readonly ShareCounts[]): void {
    const { rows, clock } = this.#parts;
    const { evidence } = this.rollout.strategy;
    this.#windows.note(clock.now(), counts, rows.slowLimit(this.row) > 0);
    rows.trustSlow(this.row, evidence, this.#windows.logE >= thresholdOf(evidence, 'latency'));
  }

  /** The first requests of a process that has just been started are slow, and say nothing about the version. */
  get #isCold(): boolean {
    const trials = this.#parts.rows.read(this.row).reduce((sum, { canary }) => sum + canary.trials, 0);
    return trials < COLD_REQUESTS;
  }

  #renewSlowLimit(): void {
    const { rows } = this.#parts;
    const { latency } = this.rollout.strategy.evidence;
    if (latency === null || rows.slowLimit(this.row) > 0 || this.#isCold) return;
    const { value, samples } = this.metrics.read(`p${latency.percentile}`, 'stable', PERCENTILE_WINDOW);
    if (value !== null && samples >= LEAST_ANSWERS) rows.slowFrom(this.row, Math.max(latency.floor, value));
  }

  /** Begins evidence anew, and keeps the counts of the last minute: an outage that has just begun is seen by what is new since then. */
  #remember(): void {
    const { rows, clock } = this.#parts;
    const at = clock.now();
    const last = this.#past.at(-1);
    if (last !== undefined && at - last.at < START_EVERY) return;
    const cost = costOf(++this.#starts);
    const start = { at, from: rows.read(this.row), cost };
    this.#past = [...this.#past.slice(-(STARTS - 1)), start];
    this.#windows.startAnew(cost);
    // Workers have one start; the last but one has seen more of what has just begun.
    const told = this.#past.at(-2) ?? start;
    rows.startAnew(this.row, told.from, told.cost);
  }

  /** @param needs whether to find out how many requests a proof still needs, which takes longest. */
  evidence(needs = false, counts = this.#parts.rows.read(this.row)): EvidenceReading {
    const { rows } = this.#parts;
    const before = this.#past[0]?.from;
    return judgeEvidence(counts, this.rollout.strategy.evidence, rows.failures(this.row), {
      ...{ needs, slowLimit: rows.slowLimit(this.row) },
      ...(Number.isNaN(this.#assigned) ? {} : { share: this.#assigned }),
      ...(before !== undefined && { before }),
      ...{ windows: this.#windows, starts: this.#past },
      ...(this.rollout.pardoned !== undefined && { since: this.rollout.pardoned }),
    });
  }

  /** Whether stable fails too of late, and whether both fail much. */
  #outage(counts: readonly ShareCounts[]): Pick<Observation, 'outage' | 'bothDown'> {
    const before = this.#past[0]?.from;
    const recent = before === undefined ? counts : countedSince(counts, before);
    const { slo } = this.rollout.strategy.evidence;
    return { outage: stableFailsToo(recent, slo === null ? null : slo / 100), bothDown: bothAreDown(recent) };
  }

  /** It goes on after an incident: what failed until now is over. */
  forgive(): void {
    this.#parts.rows.reset(this.row);
    this.closed = false;
    this.#past = [{ at: this.#parts.clock.now(), from: this.#parts.rows.read(this.row), cost: costOf(++this.#starts) }];
  }

  conditions(): ConditionResult[] {
    const { minRequests } = this.rollout.strategy;
    return conditionsOf(this.rollout).map((condition) => evaluate(condition, this.metrics, minRequests));
  }

  rules(): ConditionResult[] {
    const { minRequests, rollbackWhen } = this.rollout.strategy;
    return rollbackWhen.map(({ condition }) => evaluateRule(condition, this.metrics, minRequests));
  }

  /** The same rules, asked of stable; what is compared with stable anyway is not asked. */
  stableRules(): ConditionResult[] {
    const { minRequests, rollbackWhen } = this.rollout.strategy;
    const ofStable: MetricReader = { read: (metric, _side, window) => this.metrics.read(metric, 'stable', window) };
    return rollbackWhen.map(({ condition }) =>
      condition.operand.kind === 'baseline'
        ? { ...evaluateRule(condition, this.metrics, minRequests), status: 'inconclusive' as const }
        : evaluateRule(condition, ofStable, minRequests),
    );
  }

  inFlight(side: Side): number {
    const id = this.#compared?.[side];
    if (id === undefined) return 0;
    const at = versionSlot(id) + VERSION_SLOTS.active;
    return Math.max(
      0,
      this.#parts.memories.reduce((sum, { counters }) => sum + counters[at]!, 0),
    );
  }

  /** @param gone why the rollout cannot be meant any more. */
  observe(circumstances: Circumstances, gone: string | null): Observation {
    const { rows, config } = this.#parts;
    const { firstFailure, thrown } = rows.times(this.row);
    const elapsed = this.#elapsed();
    const counts = rows.read(this.row);
    this.#noteWindow(counts);
    const summary = (side: Side): VersionSummary => this.summary(side, counts);
    return {
      ...circumstances,
      gone,
      elapsed,
      service: config().services.find(({ name }) => name === this.rollout.service) ?? null,
      evidence: this.evidence(false, counts),
      ...this.#outage(counts),
      conditions: this.conditions(),
      rules: this.rules(),
      stableRules: this.stableRules(),
      health: this.#health(elapsed),
      switched: rows.cause(this.row),
      firstFailureAt: firstFailure,
      closedAt: thrown,
      inFlight: this.inFlight('canary'),
      // Percentiles of hundreds of buckets, which only the end of a step asks for.
      get canary(): VersionSummary {
        return summary('canary');
      },
      get stable(): VersionSummary {
        return summary('stable');
      },
      failures: this.#failures,
    };
  }

  /** Of the present step; of one that a restart has cut in two, the counts of both parts and the percentiles of the second. */
  summary(side: Side, counts = this.#parts.rows.read(this.row)): VersionSummary {
    const { version, stable } = this.rollout;
    const { totals, userErrors, before } = this.#from[side];
    const measured = summaryOf(totals, this.#meters[side].read());
    return {
      ...measured,
      version: side === 'canary' ? version : stable,
      requests: measured.requests + (before?.requests ?? 0),
      errors: measured.errors + (before?.errors ?? 0),
      shielded: measured.shielded + (before?.shielded ?? 0),
      userErrors: userErrorsOf(counts, side) - userErrors + (before?.userErrors ?? 0),
    };
  }

  #mark(side: Side, before: VersionSummary | null): StepMark {
    return {
      totals: this.#meters[side].read(),
      userErrors: userErrorsOf(this.#parts.rows.read(this.row), side),
      before,
    };
  }

  /** URLs of the version with what speaks against each; empty: available. */
  endpoints(): { readonly url: string; readonly available: boolean }[] {
    return this.#endpointsOf(this.rollout.version).map(({ id, url }) => ({
      url,
      available: flagsOf(this.#parts.endpoints, id) === 0,
    }));
  }

  /** Gives everything back; what was compared is compared no more. */
  end(): void {
    this.metrics.close();
    if (this.#compared !== null) this.#parts.rows.compareNoMore(this.#compared);
    this.#parts.rows.release(this.row);
  }

  #elapsed(): number {
    const now = this.#parts.clock.now();
    const elapsed = this.#lastLook === null ? 0 : Math.min(MOST_ELAPSED, now - this.#lastLook);
    this.#lastLook = now;
    return elapsed;
  }

  #health(elapsed: number): Observation['health'] {
    const mine = this.endpoints();
    const doubted = this.#parts.doubted?.() ?? NOBODY;
    const theirs = this.#endpointsOf(this.rollout.stable);
    const down = mine.length > 0 && mine.every(({ available }) => !available);
    // Time in which nobody looked says nothing, as with the soak time.
    if (!down) this.#unavailable = null;
    else this.#unavailable = this.#unavailable === null ? 1 : this.#unavailable + elapsed;
    return {
      unavailable: this.#unavailable ?? 0,
      known: mine.length > 0 && !this.#endpointsOf(this.rollout.version).some(({ id }) => doubted.has(id)),
      stableUnavailable: theirs.length > 0 && theirs.every(({ id }) => flagsOf(this.#parts.endpoints, id) !== 0),
    };
  }

  #endpointsOf(version: string): VersionSnapshot['endpoints'] {
    const service = this.#parts.snapshot().services.find(({ name }) => name === this.rollout.service);
    return service?.versions.find(({ name }) => name === version)?.endpoints ?? [];
  }
}

const userErrorsOf = (counts: readonly ShareCounts[], side: Side): number =>
  counts.reduce((sum, each) => sum + each[side].userErrors, 0);

/**
 * The rollouts of this process: looked at, kept, and carried out.
 *
 *     look ─▶ observe ─▶ reconcile (pure) ─▶ keep: state, traffic, audit and events in one commit ─▶ do: workers, tasks ─▶ look again
 *
 * Four times a second every rollout is looked at, and at once when something happens to it: a worker throws the switch, a task ends, somebody
 * says something. Between these looks a quick watch compares two numbers per rollout every WATCH milliseconds, which is what finds failures that
 * no worker could judge. Nothing here decides; what follows from what is seen stands in reconcile.ts.
 *
 * Everything is kept before it is done, with one exception: the switch that takes a version's users away is thrown first, because a store
 * into shared memory takes no time and a disk may take any. A crash in between finds the evidence again, in the counts that were kept last.
 * Where the disk refuses to keep it, the way back is gone all the same, and written down when the disk can be written again.
 */
import type { FailedRequest } from '../../model/evidence-table.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Interval } from '../../runtime/clock.ts';
import { OperationError } from '../problems.ts';
import { circumstancesOf, goneOf } from './circumstances.ts';
import { settleMarks } from './closed-versions.ts';
import { BY_ITSELF, type ControllerParts, type Decide, type How } from './controller-parts.ts';
import { EndedRollouts } from './ended-rollouts.ts';
import { draftOf, isNotable } from './keeping.ts';
import { acknowledged, doneAnyway, forgiven, forgotten, measured } from './kept-state.ts';
import type { Observation } from './observation.ts';
import { reconcile } from './reconcile.ts';
import { isOver, packKey, type Rollout, rolloutKey, type TaskResult } from './rollout.ts';
import { RunningRollout } from './running.ts';
import { Saving } from './saving.ts';
import { rebased } from './start.ts';
import { isWayBack } from './take-back.ts';
import type { Turn } from './turn.ts';

/** Between two looks, milliseconds. */
export const LOOK = 250;
/** Rollouts that are looked at together. */
const LOOKS = 16;
/** Between two comparisons of the failure counts. */
const WATCH = 20;
/** Between two writings of what was only measured. */
const SAVE = 2_000;
const SECOND = 1_000;
/** Pause behind a change that could not be made. */
const AFTER_FAILURE = 5_000;
/** Steps that one look may take at most; more would be a circle. */
const MOST_TURNS = 20;

export class RolloutController {
  readonly #parts: ControllerParts;
  /** Newest state of every rollout that is kept, by id, oldest first. */
  readonly #all = new Map<string, Rollout>();
  readonly #running = new Map<string, RunningRollout>();
  readonly #intervals: Interval[] = [];
  readonly #ended = new EndedRollouts();
  readonly #saving: Saving;
  #closed = false;
  #looks = 0;

  constructor(parts: ControllerParts, kept: readonly Rollout[]) {
    this.#parts = parts;
    this.#saving = new Saving({ store: parts.store, state: (id) => this.#stateToSave(id) });
    for (const rollout of kept.toSorted((a, b) => a.createdAt - b.createdAt)) this.#all.set(rollout.id, rollout);
    for (const rollout of this.#all.values()) if (!isOver(rollout.phase)) this.#resume(rollout);
    // Workers begin to serve before anything is looked at, and find there who is closed.
    this.settle(parts.snapshot());
  }

  /** Begins to look; call when the workers serve. */
  start(): void {
    const { clock } = this.#parts;
    for (const each of this.#all.values()) this.#parts.tasks.resume(each, (...end) => this.#taskEnded(each.id, ...end));
    this.#intervals.push(
      clock.setInterval(() => this.#watch(), WATCH),
      clock.setInterval(() => this.#lookAtSome(), LOOK),
      clock.setInterval(() => this.#tick(), SECOND),
      clock.setInterval(() => void this.save(), SAVE),
    );
  }

  /** Stops looking, and writes down what has been measured. Rollouts stay as they are, and go on at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const interval of this.#intervals) interval.stop();
    await this.#parts.tasks.close();
    await Promise.all([...this.#running.values()].map(({ turnstile }) => turnstile.empty()));
    await this.save(true);
  }

  /** Oldest first. */
  all(): readonly Rollout[] {
    return [...this.#all.values()];
  }

  get(id: string): Rollout | null {
    return this.#all.get(id) ?? null;
  }

  running(id: string): RunningRollout | null {
    return this.#running.get(id) ?? null;
  }

  ended(): ReturnType<EndedRollouts['all']> {
    return this.#ended.all();
  }

  /** The rollout that has the service's traffic in hand; null where none has. */
  holderOf(service: string): Rollout | null {
    for (const { rollout } of this.#running.values()) {
      if (rollout.service === service && rollout.phase !== 'Queued') return rollout;
    }
    return null;
  }

  /** Takes up a rollout that has just been kept. */
  add(rollout: Rollout): void {
    this.#all.set(rollout.id, rollout);
    this.#resume(rollout);
    this.#running.get(rollout.id)?.settle(this.#parts.snapshot());
    void this.look(rollout.id);
  }

  hasRoom(): boolean {
    return this.#parts.rows.hasRoom;
  }

  /** Workers get this snapshot, or these weights: shares, places in shared memory, and who is closed follow it. */
  settle(snapshot: Snapshot): void {
    // Weights change a hundred times a second beside a thousand versions, and nobody is compared or closed.
    if (this.#all.size === 0) return;
    for (const running of this.#running.values()) running.settle(snapshot);
    this.#settleMarks(snapshot);
  }

  #settleMarks(snapshot: Snapshot = this.#parts.snapshot()): void {
    settleMarks(this.#parts.rows, snapshot, this.#all.values(), (id) => this.running(id));
  }

  /** @param request of a worker. */
  noteFailure(request: FailedRequest): void {
    for (const running of this.#running.values()) {
      if (running.row === request.row && this.#parts.rows.use(running.row) === request.use)
        running.noteFailure(request);
    }
  }

  /** A worker has thrown the switch of this row. */
  noteSwitched(row: number): void {
    for (const running of this.#running.values()) if (running.row === row) void this.look(running.rollout.id);
  }

  #resume(rollout: Rollout): void {
    const row = this.#parts.rows.take();
    // More than there is room for are never started, and what was kept was once started.
    if (row === null) return this.#parts.logger.error('rollout_without_row', { rollout: rollout.id });
    const running = new RunningRollout(rollout, row, this.#parts);
    this.#running.set(rollout.id, running);
    if (rollout.startedAt !== null) running.measureAnew(false);
  }

  #tick(): void {
    for (const running of this.#running.values()) running.tick();
  }

  #watch(): void {
    const { rows } = this.#parts;
    for (const running of this.#running.values()) {
      const [failures, cause] = [rows.failures(running.row), rows.cause(running.row)];
      const { watched } = running;
      if (failures === watched.failures && cause === watched.cause) continue;
      running.watched = { failures, cause };
      const evidence = running.evidence();
      if (cause === null && evidence.verdict === null && evidence.budget?.spent !== true) continue;
      this.#close(running);
      void this.look(running.rollout.id);
    }
  }

  /** Takes the version's users away from it, now; other changes that come between this and its being kept do not give them back. */
  #close(running: RunningRollout): void {
    const { compared, rollout } = running;
    if (compared === null || ['Queued', 'Preflight', 'Succeeded'].includes(rollout.phase)) return;
    this.#parts.rows.close(compared.canary);
    running.closed = true;
    running.settle(this.#parts.snapshot());
  }

  /** What the quick watch has closed is open again where a closer look finds nothing. */
  #reopen(running: RunningRollout): void {
    const { phase, pause } = running.rollout;
    if (!running.closed || pause?.by === 'incident' || phase === 'RollingBack' || isOver(phase)) return;
    running.closed = false;
    this.settle(this.#parts.snapshot());
  }

  lookAtAll(): void {
    for (const { rollout } of this.#running.values()) void this.look(rollout.id);
  }

  /** Of many, a part of them each time: a look takes about a millisecond of a thread that has other things to do. */
  #lookAtSome(): void {
    const parts = Math.ceil(this.#running.size / LOOKS);
    this.#looks++;
    let index = 0;
    for (const { rollout } of this.#running.values())
      if (index++ % parts === this.#looks % parts) void this.look(rollout.id);
  }

  /** Never rejects. */
  async look(id: string): Promise<void> {
    const running = this.#current(id);
    if (running === undefined || this.#closed) return;
    // Looks that wait for a slow turn are one look.
    running.nextLook ??= running.turnstile
      .run(async () => {
        running.nextLook = null;
        for (let turns = 0; turns < MOST_TURNS && this.#running.get(id) === running; turns++) {
          const before = running.rollout;
          const turn = reconcile(before, this.observe(running), this.#parts.wallClock());
          if (!running.mayTry(isWayBack(before, turn.next))) return;
          await this.#carryOut(running, turn, BY_ITSELF);
          this.#reopen(running);
          if (running.rollout.phase === before.phase && running.rollout.step === before.step) return;
        }
      })
      .catch((error: Error) => this.#failed(running, error));
    await running.nextLook;
  }

  /** One that has waited is compared with the version that is stable when it is looked at. */
  #current(id: string): RunningRollout | undefined {
    const running = this.#running.get(id);
    const next = running === undefined ? null : rebased(running.rollout, this.#parts.config(), this.#parts.wallClock());
    if (running === undefined || next === null || running.isKeeping) return running;
    running.end();
    this.#all.set(id, next);
    this.#saving.note(id);
    this.#resume(next);
    return this.#running.get(id);
  }

  /** Lets `decide` make the next turn, for somebody. @throws OperationError */
  async change(id: string, how: How, decide: Decide): Promise<Rollout> {
    const running = this.#running.get(id) ?? this.#revived(id);
    this.#closeAhead(running, decide);
    return running.turnstile
      .run(async () => {
        // It has ended, or was not revived for long, while this waited for its turn.
        if (this.#running.get(id) !== running) return this.change(id, how, decide);
        const seen = this.observe(running);
        await this.#carryOut(running, decide(running.rollout, seen, this.#parts.wallClock()), how);
        return running.rollout;
      })
      .finally(() => {
        // One that was over and stays so.
        if (isOver(running.rollout.phase)) this.#end(running);
        else void this.look(id);
      });
  }

  /** Who takes it back does not wait for what is under way, such as a worker that hangs; users do not either. */
  #closeAhead(running: RunningRollout, decide: Decide): void {
    try {
      const { next } = decide(running.rollout, this.observe(running), this.#parts.wallClock());
      if (isWayBack(running.rollout, next) && next.weight === 0) this.#close(running);
    } catch {
      // It is refused when it has its turn.
    }
  }

  /** A rollout that is over, for what can still be said to it. */
  #revived(id: string): RunningRollout {
    const rollout = this.#all.get(id);
    if (rollout === undefined) throw new OperationError('not_found', `there is no rollout ${id}`);
    const row = this.#parts.rows.take();
    if (row === null)
      throw new OperationError('busy', 'as many rollouts as Sluice can look after are under way; end one first');
    const running = new RunningRollout(rollout, row, this.#parts);
    this.#running.set(id, running);
    running.settle(this.#parts.snapshot());
    return running;
  }

  #failed(running: RunningRollout, error: Error): void {
    running.notBefore = this.#parts.clock.now() + AFTER_FAILURE;
    running.trouble = error.message;
    this.#parts.logger.error('rollout_not_advanced', { rollout: running.rollout.id, message: error.message });
  }

  observe(running: RunningRollout): Observation {
    const { wallClock, config } = this.#parts;
    const open = [...this.#running.values()].map(({ rollout }) => rollout);
    return running.observe(circumstancesOf(running.rollout, open, wallClock()), goneOf(running.rollout, config()));
  }

  async #carryOut(running: RunningRollout, turn: Turn, how: How): Promise<void> {
    const before = running.rollout;
    const { next, begun } = this.#parts.tasks.prepare(turn);
    if (next === before && !isNotable(before, next, [], this.#parts.config())) return;
    const isBack = next.phase === 'RollingBack' && next.weight === 0;
    if (isBack) this.#close(running);
    const isReopened = turn.actions.some((action) => action.do === 'reopen');
    const kept = isReopened ? forgiven(next, running, this.#parts.rows) : next;
    running.rollout = isNotable(before, kept, turn.actions, this.#parts.config())
      ? await this.#keep(running, before, kept, turn, how)
      : kept;
    running.trouble = null;
    this.#all.set(running.rollout.id, running.rollout);
    this.#saving.note(running.rollout.id);
    for (const action of turn.actions) if (action.do === 'measure-anew') running.measureAnew(action.step);
    if (isReopened) running.forgive();
    if (next.phase !== before.phase || isReopened) running.settle(this.#parts.snapshot());
    if (next.phase !== before.phase || next.step !== before.step || isReopened) this.#settleMarks();
    if (isOver(next.phase) && !isOver(before.phase)) this.#ended.note(next);
    if (isWayBack(before, next) || next.phase === 'Failed') this.#parts.tasks.cancelOthers(before, begun);
    this.#parts.tasks.begin(running.rollout, begun, (id, result) => this.#taskEnded(running.rollout.id, id, result));
    if (isOver(running.rollout.phase)) this.#end(running);
  }

  /** @returns what was kept. @throws where nothing was done. */
  async #keep(running: RunningRollout, before: Rollout, next: Rollout, turn: Turn, how: How): Promise<Rollout> {
    const { core, store, wallClock } = this.#parts;
    const pack = next.phase === 'RolledBack' && next.pack !== null ? await store.get(packKey(next.pack)) : null;
    let kept = next;
    let anyway: ReturnType<typeof doneAnyway> | null = null;
    running.isKeeping = true;
    try {
      await core.change(how.actor, how.options, (state) => {
        const drafted = draftOf({
          state,
          before,
          next: measured(next, running, this.#parts.rows),
          turn,
          pack: pack?.value ?? null,
          ...how,
          now: wallClock(),
        });
        kept = drafted.rollout;
        return drafted.draft;
      });
    } catch (error) {
      anyway = doneAnyway(error, kept);
    } finally {
      running.isKeeping = false;
    }
    running.unkept = anyway?.unkept ?? null;
    return anyway?.late === true ? kept : acknowledged(kept, wallClock());
  }

  #taskEnded(rolloutId: string, task: string, result: TaskResult): void {
    const rollout = this.#all.get(rolloutId);
    if (rollout === undefined || this.#closed) return;
    const write = (present: Rollout): Turn => this.#parts.tasks.ended(present, task, result);
    const running = this.#running.get(rolloutId);
    if (running === undefined) {
      const { next } = write(rollout);
      this.#all.set(rolloutId, next);
      this.#saving.note(rolloutId);
      return void this.save();
    }
    void running.turnstile
      .run(async () => {
        if (this.#running.get(rolloutId) !== running) return this.#taskEnded(rolloutId, task, result);
        await this.#carryOut(running, write(running.rollout), { ...BY_ITSELF, action: 'rollout.task' });
      })
      .catch((error: Error) => this.#failed(running, error))
      .finally(() => void this.look(rolloutId));
  }

  #end(running: RunningRollout): void {
    const { id, service } = running.rollout;
    if (this.#running.get(id) !== running) return;
    this.#running.delete(id);
    running.end();
    this.#settleMarks();
    const gone = forgotten(this.all(), service);
    for (const { id: old } of gone) {
      this.#all.delete(old);
      this.#saving.forget(old);
    }
    const deletes = gone.flatMap(({ id: old, pack }) => [rolloutKey(old), ...(pack === null ? [] : [packKey(pack)])]);
    if (deletes.length > 0) this.#parts.store.commit({ deletes }).catch(() => {});
    this.lookAtAll();
  }

  /** Writes what has been measured since. @param all whether those count that have not changed. */
  async save(all = false): Promise<void> {
    for (const { rollout } of this.#running.values())
      if (all || rollout.startedAt !== null) this.#saving.note(rollout.id);
    await this.#saving.save();
  }

  #stateToSave(id: string): Rollout | null {
    const running = this.#running.get(id);
    if (running === undefined) return this.#all.get(id) ?? null;
    return running.isKeeping ? null : measured(running.rollout, running, this.#parts.rows);
  }
}

/**
 * Carries out what a rollout does outside of Sluice: preflights, gates, hooks.
 *
 * The controller keeps that a task has begun, calls `run`, and keeps what came of it. A task always ends in a result and never in an exception: what
 * could not be carried out has failed, with a sentence that says why. How long it may take is in its spec, so nothing runs for ever.
 *
 * A task that is cut short, because its rollout has moved on or Sluice ends, has neither passed nor failed. Its result is `again`, as that of a gate
 * which says "not yet": after a restart it runs anew, and nobody takes a version back because Sluice was stopped in the middle of a hook.
 *
 * Tasks of one rollout may overlap; each runs once per call. `cancel` and `close` return when what they ended is gone, child processes included.
 */
import type { TaskResult } from '../rollout.ts';
import { askGate } from './gate.ts';
import { runHook } from './hook.ts';
import { plainLine } from './plain-text.ts';
import { preflight } from './preflight.ts';
import type { Finding, Task, TaskContext, TaskRun, TaskTarget } from './task.ts';

interface Open {
  readonly rollout: string;
  readonly controller: AbortController;
  readonly done: Promise<TaskResult>;
}

export class TaskRunner {
  readonly #context: TaskContext;
  readonly #open = new Set<Open>();
  #closed = false;

  constructor(context: TaskContext) {
    this.#context = context;
  }

  /** Tasks under way. */
  get size(): number {
    return this.#open.size;
  }

  /** Never rejects. @param id of the task within its rollout, such as `hook:start:0`. */
  run(id: string, task: Task, target: TaskTarget): Promise<TaskResult> {
    if (this.#closed) return Promise.resolve(this.#resultOf(CUT_SHORT));
    const controller = new AbortController();
    const done = this.#carryOut(task, { ...this.#context, id, target, signal: controller.signal });
    const open: Open = { rollout: target.rollout, controller, done };
    this.#open.add(open);
    return done.finally(() => this.#open.delete(open));
  }

  /** Cuts short what is under way for a rollout. */
  async cancel(rollout: string): Promise<void> {
    await this.#cutShort([...this.#open].filter((open) => open.rollout === rollout));
  }

  /** Cuts everything short; what is asked for from now on is cut short before it begins. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#cutShort([...this.#open]);
  }

  async #cutShort(tasks: readonly Open[]): Promise<void> {
    for (const { controller } of tasks) controller.abort();
    await Promise.all(tasks.map(({ done }) => done));
  }

  async #carryOut(task: Task, run: TaskRun): Promise<TaskResult> {
    const { logger, id, target, signal, clock } = run;
    const began = clock.now();
    let finding: Finding;
    try {
      finding = await find(task, run);
    } catch (error) {
      const message = `the ${task.kind} could not be carried out: ${plainLine((error as Error).message)}`;
      finding = { ok: false, message, output: '' };
    }
    if (signal.aborted) finding = { ...CUT_SHORT, output: finding.output };
    const result = this.#resultOf(finding);
    const { ok, message } = result;
    const fields = { rollout: target.rollout, task: id, ok, message, took: Math.round(clock.now() - began) };
    if (ok || finding.again === true) logger.info('rollout_task_ended', fields);
    else logger.warn('rollout_task_failed', fields);
    return result;
  }

  #resultOf(finding: Finding): TaskResult {
    return { ...finding, at: this.#context.wallClock() };
  }
}

const CUT_SHORT: Finding = { ok: false, again: true, message: 'cut short before it was done', output: '' };

function find(task: Task, run: TaskRun): Promise<Finding> {
  switch (task.kind) {
    case 'preflight':
      return preflight(task.config, run);
    case 'gate':
      return askGate(task.step, run);
    case 'hook':
      return runHook(task, run);
  }
}

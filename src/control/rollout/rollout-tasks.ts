/**
 * The tasks of rollouts: begun once per process, kept as begun before they run, and kept again with what came of them.
 *
 * A task that is asked for while it runs is the same task. After a restart nothing runs, so whatever has no result is asked for again and
 * begins anew; what was cut short has none.
 */
import type { HookPoint } from '../../model/rollout-config.ts';
import type { Action } from './observation.ts';
import { isOver, type Rollout, type TaskResult } from './rollout.ts';
import { hookTasks } from './take-back.ts';
import type { Task, TaskTarget } from './tasks/task.ts';
import type { TaskRunner } from './tasks/task-runner.ts';
import { noted, type Turn, told } from './turn.ts';

type TaskAction = Extract<Action, { do: 'task' }>;

export interface RolloutTasksOptions {
  readonly runner: TaskRunner;
  readonly target: (rollout: Rollout) => TaskTarget;
  readonly wallClock: () => number;
}

export class RolloutTasks {
  readonly #options: RolloutTasksOptions;
  /** `ROLLOUT TASK` of those under way. */
  readonly #open = new Set<string>();

  constructor(options: RolloutTasksOptions) {
    this.#options = options;
  }

  /** @returns the next state with the tasks that begin with it. */
  prepare({ next, actions }: Turn): { readonly next: Rollout; readonly begun: readonly TaskAction[] } {
    const wanted = actions.filter((action): action is TaskAction => action.do === 'task');
    const begun = wanted.filter(({ id }) => !this.#open.has(`${next.id} ${id}`));
    if (begun.length === 0) return { next, begun };
    const startedAt = this.#options.wallClock();
    const tasks = { ...next.tasks, ...Object.fromEntries(begun.map(({ id }) => [id, { startedAt, result: null }])) };
    return { next: { ...next, tasks }, begun };
  }

  begin(rollout: Rollout, begun: readonly TaskAction[], onEnd: (task: string, result: TaskResult) => void): void {
    for (const { id, spec } of begun) {
      const key = `${rollout.id} ${id}`;
      if (this.#open.has(key)) continue;
      this.#open.add(key);
      const task: Task = { ...spec, data: { reason: rollout.decision?.reason ?? rollout.reason } };
      void this.#options.runner.run(id, task, this.#options.target(rollout)).then((result) => {
        this.#open.delete(key);
        onEnd(id, result);
      });
    }
  }

  /** Hooks of a rollout that is over which the end of the process has cut off: no look will ask for them again. */
  resume(rollout: Rollout, onEnd: (task: string, result: TaskResult) => void): void {
    if (!isOver(rollout.phase)) return;
    const hooks = [...hookTasks(rollout, 'rollback'), ...hookTasks(rollout, 'success')];
    const cut = hooks.filter(({ id }) => rollout.tasks[id]?.result === null);
    this.begin(rollout, cut, onEnd);
  }

  /** Writes down what came of a task. */
  ended(rollout: Rollout, id: string, result: TaskResult): Turn {
    const now = this.#options.wallClock();
    const isGate = id.startsWith('gate:');
    const { [id]: begun, ...others } = rollout.tasks;
    // Cut short: it has not been done, and begins anew where it is still wanted.
    if (result.again === true && !isGate) return { next: { ...rollout, tasks: others }, actions: [] };
    const next: Rollout = { ...rollout, tasks: { ...others, [id]: { startedAt: begun?.startedAt ?? now, result } } };
    const [kind, point, ...rest] = id.split(':');
    const message = `${result.ok ? 'passed' : result.again === true ? 'not yet' : 'failed'}: ${result.message}`;
    // A gate that is asked every few seconds for hours says something new now and then.
    if (result.again === true && rollout.timeline.findLast((entry) => entry.kind === kind)?.message === message)
      return { next, actions: [] };
    if (kind !== 'hook') return { next: noted(next, { at: now, kind: kind!, message }), actions: [] };
    const hook = rollout.strategy.hooks[point as HookPoint]?.[Number(rest.at(-1))];
    return told(
      next,
      now,
      'rollout.hook',
      result.ok ? 'info' : 'warning',
      `hook ${hook?.name ?? id} (${point}) ${message}`,
      {
        ...{ hook: hook?.name ?? id, point, ok: result.ok, output: result.output },
      },
    );
  }

  /** What is under way for a rollout is not wanted any more; call before what begins now. */
  cancelOthers({ id }: Rollout, begun: readonly TaskAction[]): void {
    const wanted = new Set(begun.map((task) => `${id} ${task.id}`));
    const others = [...this.#open].filter((key) => key.startsWith(`${id} `) && !wanted.has(key));
    if (others.length > 0) void this.#options.runner.cancel(id);
  }

  close(): Promise<void> {
    return this.#options.runner.close();
  }
}

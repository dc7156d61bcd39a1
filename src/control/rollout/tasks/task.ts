/** What a task is given, and what it is made with. */
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { TaskSpec } from '../observation.ts';
import type { TaskResult } from '../rollout.ts';

/** What the control plane knows of an endpoint. */
export interface EndpointHealth {
  readonly url: string;
  readonly available: boolean;
  /** Why not, in a few words; empty where it is. */
  readonly why: string;
}

/** How the version is reached through Sluice itself. */
export interface ProxyAddress {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** Host field by which the route is found; null: that of the address. */
  readonly host: string | null;
  /** Name of the override header; its value is the version. */
  readonly header: string;
}

/** What the task is about, as it stands when the task begins. */
export interface TaskTarget {
  readonly rollout: string;
  readonly service: string;
  readonly version: string;
  readonly stable: string;
  readonly strategy: string;
  /** Name of the step. */
  readonly step: string;
  /** Percent. */
  readonly weight: number;
  readonly phase: string;
  /** URLs of the version. */
  readonly endpoints: readonly string[];
  /** Of the version, as it is now. */
  readonly healthy: () => readonly EndpointHealth[];
  /** Null: the version is reached only directly. */
  readonly proxy: ProxyAddress | null;
}

/** The spec of the controller; a hook may be told more about what happened. */
export type Task = TaskSpec & { readonly data?: Readonly<Record<string, unknown>> };

export interface TaskContext {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where secrets, PATH, HOME and LANG are taken from. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** One task under way. */
export interface TaskRun extends TaskContext {
  /** Of the task within the rollout, such as `hook:start:0`. */
  readonly id: string;
  readonly target: TaskTarget;
  /** Aborted when nobody wants the result any more. */
  readonly signal: AbortSignal;
}

export type Finding = Pick<TaskResult, 'ok' | 'message' | 'output'> & Pick<TaskResult, 'again'>;

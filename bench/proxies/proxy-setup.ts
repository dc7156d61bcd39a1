/**
 * What the harness needs to know of a proxy: whether it is here, which version, and how to start it in front of an upstream.
 *
 * Everything specific to a product is in its own file beside this one; the harness treats all of them alike.
 */
import type { Launch } from '../processes.ts';

export interface StartContext {
  readonly port: number;
  readonly upstreamPort: number;
  /** An empty directory of this process's own, removed at the end of the run. */
  readonly directory: string;
}

export interface ProxySetup {
  readonly id: string;
  readonly title: string;
  /** How it is set up, for the report. */
  readonly note: string;
  /** Code that is compiled while it runs needs a longer warm-up before it shows what it costs. */
  readonly justInTime: boolean;
  /** What is missing and how to get it; null when the proxy can be started. */
  readonly missing: () => string | null;
  readonly version: () => string;
  readonly launch: (context: StartContext) => Launch;
}

/** Idle connections to the upstream that every proxy may keep, where it can be told. Sluice's default. */
export const upstreamIdleConnections = 1_024;

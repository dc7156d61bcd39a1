/**
 * What a probe is: one question to one endpoint, asked again and again, one at a time.
 *
 * A probe knows how to ask and what a good answer is. When to ask, how long to wait and what follows from the answer is the check's
 * business (check.ts), so that every kind of probe has the same timeout and the same thresholds.
 */
import type { HealthConfig } from '../../model/policy-config.ts';

/** One endpoint and how it is to be checked. */
export interface HealthTarget {
  readonly endpointId: number;
  /** `http://host:port` as configured. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `host:port` as a Host header has it. */
  readonly authority: string;
  readonly service: string;
  readonly version: string;
  readonly config: HealthConfig;
}

/** Takes the verdict: null where the endpoint passed, else what was wrong. */
export type Verdict = (fault: string | null) => void;

export interface Probe {
  /** Asks; the verdict comes once, later, unless the probe is cancelled before. Not called again before that. */
  run(verdict: Verdict): void;
  /** Gives up the question that is open, if one is, with every socket that serves it. */
  cancel(): void;
  /** Cancels and lets go of what is kept between questions; the probe is not used again. */
  close(): void;
}

export type NewProbe = (target: HealthTarget) => Probe;

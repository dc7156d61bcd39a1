/**
 * The numbers of rollouts: the part of the table in settings.ts that strategies, metrics, approvals and notifications have.
 *
 * What stands here is what a rollout does where nobody said anything, so the defaults lean to the side that waits: a step without a deadline is
 * held rather than taken back, a hook has half a minute, a question that nobody answers is asked again. What acts by itself is bounded by
 * `alpha`, whose default is one false rollback in a thousand rollouts.
 */
import { count, duration, percent, type Setting, type Settings } from './settings.ts';

/** Longest that a part of a rollout may be planned to take. */
const LONGEST = '720h';
/** Marks of the metrics go back so far. */
export const LONGEST_WINDOW = '24h';

const number = (fallback: number, least: number, most: number, meaning: string): Setting => ({
  kind: 'number',
  fallback,
  least,
  most,
  meaning,
});

/** It has no default: it must be given. */
const needed = (setting: Setting): Setting => ({
  kind: setting.kind,
  least: setting.least,
  most: setting.most,
  meaning: setting.meaning,
});

export const STRATEGY = {
  minRequests: count(20, 1, 1_000_000, 'Requests below which a condition is not judged.'),
  unavailableFor: duration(
    '5s',
    '100ms',
    '1h',
    'How long all endpoints of the version may be unavailable before it is taken back.',
  ),
  stepDeadline: duration(
    '0s',
    '0s',
    LONGEST,
    'Longest time that conditions may hold a step; then the version is taken back. `0s` is for ever.',
  ),
} as const satisfies Settings;

export const RISK = {
  approveAboveRisk: {
    kind: 'count',
    least: 0,
    most: 100,
    meaning: 'Risk score from which approvals are needed before the start. Left out, none are.',
  },
} as const satisfies Settings;

export const EVIDENCE = {
  alpha: number(0.001, 0, 0.5, 'Chance of a false rollback over the whole rollout; 0 turns the tests off.'),
  tolerance: number(1, 1, 100, 'Odds of errors, relative to those of stable, that still count as equal.'),
  maxFailures: count(
    0,
    0,
    1_000_000_000,
    'Failed first attempts after which the version gets nothing more; 0 is no budget.',
  ),
  proof: number(0.05, 0.000001, 0.5, 'Chance of a false proof that the SLO is kept.'),
} as const satisfies Settings;

export const EVIDENCE_SLO = {
  slo: {
    kind: 'percent',
    fine: true,
    least: 0.001,
    most: 99,
    meaning:
      'Failure rate to be kept: the version is taken back when it is proved to fail more often. Left out, there is none.',
  },
} as const satisfies Settings;

export const EVIDENCE_LATENCY = {
  floor: duration('10ms', '0ms', '1h', 'No request faster than this is called slow.'),
  tolerance: number(2, 1, 100, 'Odds of slow requests, relative to those of stable, that still count as equal.'),
} as const satisfies Settings;

const part = (meaning: string): Setting => ({ kind: 'number', least: 0, most: 1, meaning });

export const EVIDENCE_SHARES = {
  errors: part('Of the test that compares failures with those of stable.'),
  slo: part('Of the test of the SLO.'),
  latency: part('Of the test that compares slow requests with those of stable.'),
  ratio: part('Of the test that finds a version which swallows requests.'),
} as const satisfies Settings;

export const GRADUAL = {
  by: percent(20, 0.01, 100, 'Percentage points that are taken back at a time.'),
  every: duration('1m', '1s', '24h', 'Time between two of them.'),
} as const satisfies Settings;

export const WEIGHT_STEP = {
  weight: needed(percent(0, 0, 100, 'The percentage that the version gets. It may not fall from step to step.')),
  for: duration('0s', '0s', LONGEST, 'With `weight`: how long the version is looked at before the step may end.'),
} as const satisfies Settings;

export const RAMP = {
  to: needed(percent(0, 0.01, 100, 'The percentage at its end; it begins at the weight of the step before.')),
  by: needed(percent(0, 0.01, 100, 'Percentage points that are added at a time.')),
  every: needed(duration('0s', '1s', LONGEST, 'How long the version is looked at on each of the weights.')),
} as const satisfies Settings;

export const ANALYSIS = {
  for: needed(duration('0s', '1s', LONGEST, 'How long is looked at the conditions.')),
} as const satisfies Settings;

export const PAUSE: Setting = { kind: 'duration', least: '1s', most: LONGEST, meaning: '' };

export const WINDOW: Setting = { kind: 'duration', least: '1s', most: LONGEST_WINDOW, meaning: '' };

export const PREFLIGHT = {
  timeout: duration('1m', '100ms', '1h', 'How long everything together may take.'),
} as const satisfies Settings;

export const WARM_UP = {
  requests: count(50, 1, 100_000, 'Requests to each endpoint.'),
  concurrency: count(4, 1, 256, 'Most of them at once.'),
} as const satisfies Settings;

export const CHECK = {
  timeout: duration('5s', '10ms', '5m', 'How long one try may take.'),
  retries: count(0, 0, 100, 'Further tries before the check has failed.'),
} as const satisfies Settings;

export const EXPECT = {
  latency: duration('0s', '0s', '5m', 'Longest that the answer may take; `0s` is any time within the timeout.'),
} as const satisfies Settings;

export const GATE = {
  timeout: duration('5s', '10ms', '5m', 'How long one question may take.'),
  retries: count(2, 0, 100, 'Further tries where nobody answers.'),
  every: duration('30s', '1s', '1h', 'Time between two questions where the answer is "not yet" (202 or 409).'),
  deadline: duration('1h', '1s', LONGEST, 'After which "not yet" is a no.'),
} as const satisfies Settings;

export const HOOK = {
  timeout: duration('30s', '10ms', '1h', 'How long it may take.'),
} as const satisfies Settings;

export const APPROVALS = {
  required: count(1, 1, 20, 'How many different approvers must agree.'),
  expires: duration('1h', '1m', LONGEST, 'How long an approval holds.'),
} as const satisfies Settings;

export const HEALTH_SCORE = {
  latencyLimit: duration('500ms', '1ms', '1h', 'A request slower than this does not comply.'),
} as const satisfies Settings;

/** In the proportion of their defaults, 4 : 3 : 3, they take what those that are written leave. */
export const HEALTH_WEIGHTS = {
  success: part('Weight of `success_rate`.'),
  latency: part('Weight of the share of answers that are not slower than `latencyLimit`.'),
  weight: part('Weight of the metric.'),
} as const satisfies Settings;

export const PROVIDER = {
  timeout: duration('5s', '10ms', '5m', 'How long one reading may take.'),
  retries: count(1, 0, 10, 'Further tries before a reading has failed.'),
  every: duration('15s', '1s', '1h', 'Time between two readings.'),
} as const satisfies Settings;

export const ESCALATE = {
  after: needed(duration('0s', '1s', '168h', 'How long somebody has to acknowledge it.')),
} as const satisfies Settings;

/** Defaults of what is no number with a unit. */
export const ROLLOUT_DEFAULTS = {
  whenBusy: 'refuse',
  action: 'immediate',
  level: 'critical',
  earlyPass: false,
  percentile: 'p95',
  preflightHealth: true,
  warmUpPath: '/',
  checkMethod: 'GET',
  checkStatus: 200,
  freezeFrom: '00:00',
  freezeTo: '24:00',
  timeZone: 'UTC',
  severity: 'warning',
} as const;

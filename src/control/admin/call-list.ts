/**
 * Every call of the admin API, in the order in which the documentation shows them.
 */
import type { AnyCall } from './call.ts';
import { configCalls } from './calls/config-calls.ts';
import { eventCalls } from './calls/event-calls.ts';
import { flagCalls } from './calls/flag-calls.ts';
import { notificationCalls } from './calls/notification-calls.ts';
import { processCalls } from './calls/process-calls.ts';
import { recordCalls } from './calls/record-calls.ts';
import { rolloutCalls } from './calls/rollout-calls.ts';
import { rolloutVerbCalls } from './calls/rollout-verb-calls.ts';
import { serviceCalls } from './calls/service-calls.ts';
import { versionCalls } from './calls/version-calls.ts';
import { weightCalls } from './calls/weight-calls.ts';

export const CALLS: readonly AnyCall[] = [
  ...serviceCalls,
  ...weightCalls,
  ...versionCalls,
  ...rolloutCalls,
  ...rolloutVerbCalls,
  ...notificationCalls,
  ...flagCalls,
  ...recordCalls,
  ...eventCalls,
  ...configCalls,
  ...processCalls,
];

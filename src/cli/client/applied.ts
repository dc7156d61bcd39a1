/**
 * The line below every change: that every worker runs it, and how long that took. A change is answered only then, so there is nothing to poll.
 */
import type { Applied } from '../../control/operations.ts';
import type { OptionTable } from '../command-description.ts';
import { counted, latency } from './format.ts';

export const appliedLine = ({ generation, appliedInMs, workers }: Applied): string =>
  `Generation ${generation}, taken up by ${counted(workers, 'worker')} in ${latency(appliedInMs)}.\n`;

/** Of every change: the audit log keeps the reason. */
export const REASON_OPTION = {
  reason: { value: 'TEXT', about: 'why, for the audit log' },
} as const satisfies OptionTable;

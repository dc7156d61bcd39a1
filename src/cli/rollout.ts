/**
 * `sluice rollout`: everything about rollouts, a command each; the verbs take an ID, a service's name, or nothing where only one runs.
 */
import { EXIT_TEXT } from './client/failure.ts';
import { defineGroup } from './command-group.ts';
import { approveCommand } from './rollout/approve.ts';
import { getCommand } from './rollout/get.ts';
import { listCommand } from './rollout/list.ts';
import { packCommand } from './rollout/pack.ts';
import { reportCommand } from './rollout/report.ts';
import { rolloutRollbackCommand } from './rollout/rollback.ts';
import { startCommand } from './rollout/start.ts';
import {
  abortCommand,
  pauseCommand,
  promoteCommand,
  resumeCommand,
  retryCommand,
  skipCommand,
} from './rollout/verbs.ts';
import { watchCommand } from './rollout/watch.ts';
import { whyCommand } from './rollout/why.ts';

export const rolloutCommand = defineGroup(
  {
    name: 'rollout',
    summary: 'start, watch, hold and end rollouts',
    about:
      'Give a version to users step by step. A command that takes ID|SERVICE means the rollout of that ID, or the one of that ' +
      'service that runs, else its latest; ' +
      'without either, the only one that runs.',
    exit: `${EXIT_TEXT} start, retry and watch have more.`,
    examples: [
      'sluice rollout start shop v2',
      'sluice rollout watch shop',
      'sluice rollout why shop',
      'sluice rollout rollback shop --reason "checkout fails"',
    ],
  },
  [
    ...[startCommand, listCommand, getCommand, watchCommand, promoteCommand, pauseCommand, resumeCommand, skipCommand],
    ...[abortCommand, rolloutRollbackCommand, retryCommand, approveCommand, reportCommand, whyCommand, packCommand],
  ],
);

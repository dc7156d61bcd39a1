/**
 * What people say to a rollout in a word: `promote`, `pause`, `resume`, `skip`, `abort`, `retry`. Each is one call, and the answer is the rollout as
 * it is then; they differ in their words and in nothing else. `rollback` needs a reason and has a file of its own.
 */
import type { RolloutVerb } from '../../control/operations.ts';
import type { RolloutView } from '../../control/rollout/view.ts';
import { type AdminClient, pathOf } from '../client/admin-client.ts';
import { REASON_OPTION } from '../client/applied.ts';
import { clientCommand } from '../client/client-command.ts';
import { type Command, UsageError } from '../command.ts';
import { findRollout } from './find-rollout.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';
import { summaryText } from './summary-text.ts';
import { readTimeout, WAIT_EXIT, WAIT_OPTIONS, waitForEnd } from './wait.ts';

interface VerbBody {
  readonly reason?: string | undefined;
  readonly full?: true;
  readonly mode?: string;
}

/** Keys that are undefined are not sent. */
export async function changeRollout(
  admin: AdminClient,
  word: string | undefined,
  verb: RolloutVerb,
  body: VerbBody,
): Promise<RolloutView> {
  const { id } = await findRollout(admin, word, false);
  return admin.send<RolloutView>('POST', pathOf('rollouts', id, verb), { body });
}

export const promoteCommand = clientCommand(
  {
    name: 'rollout promote',
    summary: 'go on to the next step now',
    about:
      'Go on to the next step without waiting for the rest of this one; a condition that fails still holds it. --full passes over ' +
      'all steps that are left, ' +
      'and the version becomes stable. Nobody can pass over a pause for approval.',
    usage: [`${ROLLOUT_USAGE} [OPTIONS]`],
    options: { full: { about: 'over all steps that are left' }, ...REASON_OPTION },
    examples: ['sluice rollout promote shop', 'sluice rollout promote shop --full --reason "hot fix"'],
  },
  async ({ admin, words, options, show, paint }) => {
    const { reason, full } = options;
    const view = await changeRollout(admin, idWord(words), 'promote', { reason, ...(full && { full }) });
    show(view, () => summaryText(view, paint));
  },
);

function plainVerb(verb: RolloutVerb, summary: string, about: string): Command {
  return clientCommand(
    {
      name: `rollout ${verb}`,
      summary,
      about,
      usage: [`${ROLLOUT_USAGE} [OPTIONS]`],
      options: REASON_OPTION,
      examples: [`sluice rollout ${verb}`, `sluice rollout ${verb} shop --reason "…"`],
    },
    async ({ admin, words, options, show, paint }) => {
      const view = await changeRollout(admin, idWord(words), verb, { reason: options.reason });
      show(view, () => summaryText(view, paint));
    },
  );
}

export const pauseCommand = plainVerb(
  'pause',
  'hold a rollout where it is',
  'Hold a rollout: its weight stays, nothing moves on until "resume". It is still watched and taken back where it fails.',
);

export const resumeCommand = plainVerb(
  'resume',
  'let a held rollout go on',
  'Let a rollout go on that was held by "pause", by a pause step or by an incident.',
);

export const skipCommand = plainVerb(
  'skip',
  'go on to the next step whatever the conditions say',
  'Go on to the next step even where a condition of this one fails. Evidence and rules still take the version back, and nobody skips an approval.',
);

export const abortCommand = plainVerb(
  'abort',
  'end a rollout; its traffic goes back to stable',
  'End a rollout. All traffic goes back to stable at once; one that has not begun yet is given up.',
);

export const retryCommand = clientCommand(
  {
    name: 'rollout retry',
    summary: 'start an ended rollout again',
    about:
      'Start a rollout again that was taken back or has failed: same version, same strategy, a new ID. It has to be named, since none runs.',
    usage: ['ID|SERVICE [OPTIONS]'],
    options: { ...WAIT_OPTIONS, ...REASON_OPTION },
    exit: WAIT_EXIT,
    examples: ['sluice rollout retry shop --reason "the database is back"', 'sluice rollout retry shop --wait'],
  },
  async (call) => {
    const { admin, io, options, show, paint } = call;
    const word = idWord(call.words);
    if (word === undefined) throw new UsageError('ID or SERVICE is missing');
    if (options.wait) readTimeout(options.timeout);
    const view = await changeRollout(admin, word, 'retry', { reason: options.reason });
    if (!options.wait) {
      show(view, () => summaryText(view, paint));
      return 0;
    }
    (options.json ? io.err : io.out)(summaryText(view, paint));
    return waitForEnd(call, view, 'rollout retry');
  },
);

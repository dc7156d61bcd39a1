/**
 * Which rollout a command means: an ID, a service's name in its place, or nothing where only one runs.
 *
 * IDs are long and people know services, so a word that is no ID is taken as a service: its rollout that runs, else the one that waits, else its
 * latest. Without a word there must be exactly one that is not over, since a guess that moves the wrong traffic is worse than a question;
 * commands that only read fall back to the latest when none runs, because "why was it taken back" is asked after it has been.
 */
import { isOver } from '../../control/rollout/rollout.ts';
import type { RolloutSummary, RolloutView } from '../../control/rollout/view.ts';
import { type AdminClient, pathOf } from '../client/admin-client.ts';
import { CommandFailure, EXIT } from '../client/failure.ts';
import { printable } from '../client/printable.ts';
import { UsageError } from '../command.ts';

export interface RolloutList {
  readonly rollouts: readonly RolloutSummary[];
}

/** @param word ID or service; undefined: the only one. @param reads whether the command changes nothing */
export async function findRollout(admin: AdminClient, word: string | undefined, reads: boolean): Promise<RolloutView> {
  return word === undefined ? onlyOne(admin, reads) : named(admin, word);
}

async function onlyOne(admin: AdminClient, reads: boolean): Promise<RolloutView> {
  const { rollouts } = await admin.get<RolloutList>(pathOf('rollouts'));
  const running = rollouts.filter(({ phase }) => !isOver(phase));
  if (running.length > 1) {
    const list = running.map(({ id, service, version }) => `${id} (${service} ${version})`).join(', ');
    throw new UsageError(printable(`${running.length} rollouts are not over; name one: ${list}`));
  }
  const one = running[0] ?? (reads ? rollouts[0] : undefined);
  if (one !== undefined) return admin.get<RolloutView>(pathOf('rollouts', one.id));
  throw new CommandFailure(EXIT.failed, reads ? 'there is no rollout' : 'no rollout runs', [
    'Start one: sluice rollout start SERVICE VERSION. Those that have ended: sluice rollout list.',
  ]);
}

async function named(admin: AdminClient, word: string): Promise<RolloutView> {
  try {
    return await admin.get<RolloutView>(pathOf('rollouts', word));
  } catch (error) {
    if (!isUnknown(error)) throw error;
  }
  const rollouts = await ofService(admin, word);
  const one =
    rollouts.find(({ phase }) => !isOver(phase) && phase !== 'Queued') ??
    rollouts.findLast(({ phase }) => !isOver(phase)) ??
    rollouts[0];
  if (one !== undefined) return admin.get<RolloutView>(pathOf('rollouts', one.id));
  throw new CommandFailure(EXIT.failed, `there is no rollout ${printable(word)}, and none of a service of that name`, [
    'sluice rollout list shows all of them.',
  ]);
}

async function ofService(admin: AdminClient, service: string): Promise<readonly RolloutSummary[]> {
  try {
    return (await admin.get<RolloutList>(pathOf('rollouts'), { service })).rollouts;
  } catch (error) {
    if (isUnknown(error)) return [];
    throw error;
  }
}

/** Not there, or not of the form of an ID. */
function isUnknown(error: unknown): boolean {
  if (!(error instanceof CommandFailure)) return false;
  const status = Object(error.answer).status;
  return status === 404 || status === 400;
}

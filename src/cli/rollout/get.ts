/**
 * `sluice rollout get`: one rollout as it is now, in full: the page of `watch` at whatever length, and its steps and approvals below.
 */
import type { RolloutView } from '../../control/rollout/view.ts';
import { clientCommand } from '../client/client-command.ts';
import { time } from '../client/format.ts';
import { type Cell, type Paint, type Tone, table } from '../client/table.ts';
import { findRollout } from './find-rollout.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';
import { rolloutScreen } from './screen/rollout-screen.ts';

export const getCommand = clientCommand(
  {
    name: 'rollout get',
    summary: 'show a rollout as it is now',
    about:
      'Show a rollout: its phase, steps, weights, what was measured, evidence, conditions, approvals and timeline.',
    usage: [`${ROLLOUT_USAGE} [OPTIONS]`],
    options: {},
    examples: ['sluice rollout get', 'sluice rollout get shop', 'sluice rollout get shop --json | jq .evidence'],
  },
  async ({ admin, words, show, paint }) => {
    const view = await findRollout(admin, idWord(words), true);
    show(view, () => {
      const unbounded = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };
      return `${rolloutScreen(view, unbounded, paint)}\n${stepTable(view, paint)}${approvalTable(view, paint)}`;
    });
    return 0;
  },
);

const STATE_TONES: Readonly<Record<RolloutView['steps'][number]['state'], Tone>> = {
  done: 'good',
  current: 'strong',
  skipped: 'warning',
  failed: 'bad',
  pending: 'faint',
};

export function stepTable({ steps }: Pick<RolloutView, 'steps'>, paint: Paint): string {
  const rows = steps.map(({ index, name, summary, state }): Cell[] => [
    String(index + 1),
    name,
    { text: state, tone: STATE_TONES[state] ?? 'strong' },
    summary,
  ]);
  return table(['>STEP', 'NAME', 'STATE', 'WHAT'], rows, paint);
}

function approvalTable({ approvals }: RolloutView, paint: Paint): string {
  if (approvals.given.length === 0) return '';
  const rows = approvals.given.map(({ approver, role, at, expires, signed }): Cell[] => [
    approver,
    role,
    time(at),
    time(expires),
    signed ? 'yes' : 'no',
  ]);
  return `\n${table(['APPROVED BY', 'ROLE', 'AT', 'UNTIL', 'SIGNED'], rows, paint)}`;
}

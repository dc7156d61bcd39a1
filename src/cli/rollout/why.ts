/**
 * `sluice rollout why`: the answer in one sentence, then what was known when it was decided, then what holds it now.
 *
 * The last failing requests come with their ID, because that is what finds them in the logs of the version.
 */
import type { RolloutWhy } from '../../control/rollout/view.ts';
import { pathOf } from '../client/admin-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { latency, share, time, timeOfDay } from '../client/format.ts';
import { printable } from '../client/printable.ts';
import { type Cell, type Paint, table } from '../client/table.ts';
import { findRollout } from './find-rollout.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';
import { conditionLines } from './screen/condition-lines.ts';
import { evidenceLines } from './screen/evidence-lines.ts';

export const whyCommand = clientCommand(
  {
    name: 'rollout why',
    summary: 'why a rollout was taken back, or what holds it',
    about:
      'Say why a rollout is where it is: the decision with everything that was known at that moment, the last failing requests ' +
      'included, and what holds it now. ' +
      'Without a name it is of the one that runs, else of the latest.',
    usage: [`${ROLLOUT_USAGE} [OPTIONS]`],
    options: {},
    examples: [
      'sluice rollout why',
      'sluice rollout why shop',
      'sluice rollout why shop --json | jq .decision.failures',
    ],
  },
  async ({ admin, words, show, paint }) => {
    const { id } = await findRollout(admin, idWord(words), true);
    const why = await admin.get<RolloutWhy>(pathOf('rollouts', id, 'why'));
    show(why, () => whyText(why, paint));
    return 0;
  },
);

type Decision = NonNullable<RolloutWhy['decision']>;

function whyText({ id, phase, answer, decision, holding }: RolloutWhy, paint: Paint): string {
  const holds = holding.map((sentence) => `  ${printable(sentence)}\n`).join('');
  return [
    `${paint(printable(`${id} ${phase}`), 'strong')}  ${printable(answer)}\n`,
    holds === '' ? '' : `\n${phase === 'RollingBack' ? 'What it waits for' : 'What holds it'}:\n${holds}`,
    decision === null ? '' : `\n${decisionText(decision, paint)}`,
  ].join('');
}

function decisionText(decision: Decision, paint: Paint): string {
  const { at, cause, reason, by, step, weight, evidence, conditions, rules, failures } = decision;
  const readings = [
    ...(evidence === null ? [] : evidenceLines(evidence, USUAL_BAR, paint)),
    ...conditionLines(conditions, rules === undefined ? 'record' : 'condition', paint),
    ...conditionLines(rules ?? [], 'rule', paint),
  ];
  return [
    `Decided ${time(printable(at))} by ${printable(by)} (${printable(cause)}) at step ${step + 1}, ${share(weight)}\n`,
    `  ${printable(reason)}\n`,
    speedText(decision),
    readings.length === 0 ? '' : `\nWhat was known:\n${readings.map((line) => `  ${line}\n`).join('')}`,
    failures.length === 0 ? '' : `\nThe last failing requests:\n${failureTable(failures, paint)}`,
  ].join('');
}

const USUAL_BAR = 20;

/** From the first failed attempt; nothing where the decision had another cause. */
function speedText({ firstFailureAt, closedAt, acknowledgedAt }: Decision): string {
  if (firstFailureAt === null) return '';
  const after = (at: string | null, what: string): string[] =>
    at === null ? [] : [`${what} ${latency(Math.max(0, Date.parse(at) - Date.parse(firstFailureAt)))} later`];
  const then = [...after(closedAt, 'switched off'), ...after(acknowledgedAt, 'weight 0 in every worker')];
  return `  first failed attempt ${timeOfDay(printable(firstFailureAt))}${then.length === 0 ? '' : `, ${then.join(', ')}`}\n`;
}

function failureTable(failures: Decision['failures'], paint: Paint): string {
  const rows = failures.map(({ at, method, path, route, status, flag, duration, requestId, endpoint }): Cell[] => [
    timeOfDay(printable(at)),
    method,
    path,
    route,
    status === 0 ? '-' : String(status),
    flag || '-',
    latency(duration),
    endpoint,
    requestId,
  ]);
  const titles = ['TIME', 'METHOD', 'PATH', 'ROUTE', '>STATUS', 'FLAG', '>DURATION', 'ENDPOINT', 'REQUEST'];
  return table(titles, rows, paint);
}

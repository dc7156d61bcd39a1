/**
 * `sluice strategies`: by which strategies a rollout can be started, those that Sluice brings and those of the configuration, or the steps of
 * one.
 */
import type { StrategyView } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { clientCommand, namedWords } from './client/client-command.ts';
import { printable } from './client/printable.ts';
import { type Cell, type Paint, table } from './client/table.ts';

export const strategiesCommand = clientCommand(
  {
    name: 'strategies',
    summary: 'show the strategies of rollouts',
    about:
      'Show the strategies that a rollout can be started with: those that Sluice brings (preset) and those of the configuration. ' +
      'With a STRATEGY its steps; ' +
      '--json has all of it, defaults included.',
    usage: ['[STRATEGY] [OPTIONS]'],
    options: {},
    examples: ['sluice strategies', 'sluice strategies standard', 'sluice strategies standard --json | jq .definition'],
  },
  async ({ admin, words, show, paint }) => {
    if (words.length === 0) {
      const answer = await admin.get<{ readonly strategies: readonly StrategyView[] }>(pathOf('strategies'));
      show(answer, () => strategyTable(answer.strategies, paint));
      return 0;
    }
    const [name] = namedWords(words, ['STRATEGY']);
    const strategy = await admin.get<StrategyView>(pathOf('strategies', name));
    show(strategy, () => stepTable(strategy, paint));
    return 0;
  },
);

function strategyTable(strategies: readonly StrategyView[], paint: Paint): string {
  const rows = strategies.map(({ name, preset, steps }): Cell[] => [
    name,
    preset ? 'preset' : 'file',
    String(steps.length),
    steps.map(({ summary }) => summary).join(' → '),
  ]);
  return table(['STRATEGY', 'FROM', '>STEPS', 'WHAT'], rows, paint);
}

function stepTable({ name, preset, steps }: StrategyView, paint: Paint): string {
  const rows = steps.map((step, index): Cell[] => [String(index + 1), step.name, step.kind, step.summary]);
  const heading = `${paint(printable(name), 'strong')}  ${preset ? 'preset' : 'of the configuration'}\n`;
  return heading + table(['>STEP', 'NAME', 'KIND', 'WHAT'], rows, paint);
}

/**
 * The strategies of the configuration, presets among them, as the API shows them: in the form in which they could be written in a file, with
 * every default in place, so that what is shown can be copied and changed. What may be a credential (paths of webhooks, variables of a hook's
 * program, headers of smoke tests) is hidden as GET /config hides it, since whoever may read may read this; a copy needs it put back.
 */
import type { SluiceConfig } from '../../model/config.ts';
import { shownStrategy } from '../config/redacted.ts';
import { isPreset } from '../config/resolve-strategies.ts';
import { writtenStrategy } from '../config/written-strategy.ts';
import type { StrategyView } from '../operations.ts';
import { stepSummary } from './step-summary.ts';

export const strategyViews = ({ rollouts }: Pick<SluiceConfig, 'rollouts'>): StrategyView[] =>
  rollouts.strategies.map((strategy) => ({
    name: strategy.name,
    preset: isPreset(strategy),
    steps: strategy.steps.map((step) => ({ name: step.name, kind: step.kind, summary: stepSummary(step) })),
    definition: writtenStrategy(shownStrategy(strategy)),
  }));

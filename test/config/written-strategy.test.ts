/** A strategy that is written back means the same; random strategies, and the presets. */
import t from 'tap';
import { parse } from 'yaml';
import { resolveStrategy } from '../../src/control/config/given-strategy.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { presetStrategies } from '../../src/control/config/resolve-strategies.ts';
import { strategyText, writtenStrategy } from '../../src/control/config/written-strategy.ts';
import type { StrategyConfig } from '../../src/model/rollout-config.ts';
import { Dice } from '../fuzz/dice.ts';
import { oneService } from './fault-cases.ts';
import { randomStrategy } from './strategy-dice.ts';

const COUNT = Number(process.env.STRATEGIES ?? 150);
const SEED = Number(process.env.SEED ?? 1);

function strategyOf(raw: unknown): StrategyConfig {
  const text = oneService(`strategies: ${JSON.stringify({ own: raw })}\n`);
  return parseConfig(text, 'sluice.yaml', {}).rollouts.strategies.find(({ name }) => name === 'own')!;
}

t.test('presets', async (t) => {
  for (const preset of presetStrategies()) {
    const again = { ...preset, name: 'own' };
    t.strictSame(strategyOf(writtenStrategy(preset)), again, preset.name);
    t.strictSame(strategyOf(parse(strategyText(preset))), again, `${preset.name} as YAML`);
  }
});

t.test('random strategies', async (t) => {
  for (let i = 0; i < COUNT; i++) {
    const raw = randomStrategy(new Dice(SEED, i));
    const strategy = strategyOf(raw);
    t.strictSame(JSON.parse(JSON.stringify(strategy)), strategy, `${i} is plain JSON`);
    t.strictSame(strategyOf(writtenStrategy(strategy)), strategy, `${i} of seed ${SEED}`);
    // What a start call builds on is the same, with nothing lost on the way.
    const rollouts = { strategies: [strategy], metrics: [], approvers: [] };
    t.strictSame(resolveStrategy('own', { extends: 'own' }, rollouts), strategy, `${i}, extended`);
  }
});

t.test('what follows other parts still does', async (t) => {
  const base = strategyOf({ steps: [{ weight: 5 }], evidence: { slo: 1 } });
  const rollouts = { strategies: [base], metrics: [], approvers: [] };
  const given = resolveStrategy(
    'given',
    { extends: 'own', evidence: { latency: 'off' }, healthScore: { metric: { name: 'x' } } },
    rollouts,
  );
  t.strictSame(given.evidence.shares, { errors: 0.55, slo: 0.3, latency: 0, ratio: 0.15 });
  t.match(given.healthScore, { success: 0.4, latency: 0.3, metric: { weight: 0.3 } });
});

/** The command line of the benchmark, and the plan that follows from it. */
import { parseArgs } from 'node:util';
import { field } from './proxies/field.ts';
import type { ProxySetup } from './proxies/proxy-setup.ts';
import { type Scenario, scenarios } from './scenarios.ts';

export interface Plan {
  readonly quick: boolean;
  /** Everything that a full run has: only then bench/RESULTS.md is replaced without being asked. */
  readonly full: boolean;
  readonly proxies: readonly ProxySetup[];
  readonly scenarios: readonly Scenario[];
  readonly idleMemory: readonly ProxySetup[];
  readonly decisions: boolean;
  readonly rounds: number;
  readonly warmUp: { readonly compiledSeconds: number; readonly justInTimeSeconds: number };
  readonly roundSeconds: number;
  /** Where the document goes; null means the default place. */
  readonly out: string | null;
}

export const usage = `node bench/run.ts [--quick] [--only PROXY,…] [--scenario SCENARIO,…] [--rounds N] [--out FILE]

  proxies    ${field.map((proxy) => proxy.id).join(' ')}
  scenarios  ${scenarios.map((scenario) => scenario.id).join(' ')} idle decision`;

/** The extra scenarios that are measured by code of their own. */
const idle = 'idle';
const decision = 'decision';

export function readPlan(argv: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      scenario: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const quick = values.quick;
  const proxies = values.only === undefined ? field : pick(values.only, field, 'proxy');
  const known = [...scenarios, { id: idle }, { id: decision }];
  const wanted =
    values.scenario === undefined
      ? known.filter((scenario) => !quick || !('quick' in scenario) || scenario.quick)
      : pick(values.scenario, known, 'scenario');
  const rounds = values.rounds === undefined ? (quick ? 1 : 5) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error('--rounds wants a number from 1 to 100');
  // Unless asked by name, memory is measured of the two that it is about; each proxy costs a start and some seconds.
  const askedFor = values.scenario !== undefined;
  const idleMemory = proxies.filter((proxy) => askedFor || proxy.id === 'sluice' || proxy.id === 'nginx');
  return {
    quick,
    full: !quick && values.only === undefined && values.scenario === undefined,
    proxies,
    scenarios: scenarios.filter((scenario) => wanted.includes(scenario)),
    idleMemory: wanted.some((scenario) => scenario.id === idle) ? idleMemory : [],
    decisions: wanted.some((scenario) => scenario.id === decision),
    rounds,
    warmUp: { compiledSeconds: 1, justInTimeSeconds: quick ? 2 : 3 },
    roundSeconds: 1,
    out: values.out ?? null,
  };
}

/** How long the plan takes, from the times it fixes and what starting and stopping cost in practice. */
export function expectedSeconds(plan: Plan): number {
  const seconds = plan.scenarios.reduce((total, { roundsFactor }) => {
    const rounds = plan.rounds * roundsFactor;
    const measured = rounds * plan.roundSeconds + 0.1 * (rounds + 1);
    return total + plan.proxies.reduce((sum, proxy) => sum + warmUpSeconds(plan, proxy) + measured, 2);
  }, 0);
  return Math.round(seconds + plan.proxies.length + 4 * plan.idleMemory.length);
}

export function warmUpSeconds({ warmUp }: Plan, proxy: ProxySetup): number {
  return proxy.justInTime ? warmUp.justInTimeSeconds : warmUp.compiledSeconds;
}

function pick<T extends { readonly id: string }>(list: string, from: readonly T[], what: string): T[] {
  const ids = new Set(list.split(',').map((id) => id.trim()));
  const unknown = [...ids].filter((id) => !from.some((entry) => entry.id === id));
  if (unknown.length > 0) throw new Error(`unknown ${what}: ${unknown.join(', ')}`);
  return from.filter((entry) => ids.has(entry.id));
}

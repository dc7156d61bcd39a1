/**
 * A strategy that is written out in the call that starts a rollout, to what a rollout does, or to every fault in it.
 *
 * It is checked by the code that checks a file, with two differences. A fault has a JSON pointer in place of a line. And it may not name secrets or
 * programs, nor repeat them: who may start a rollout may not thereby read the machine's variables and files, or run something on it. What it
 * inherits from a strategy of the configuration by `extends` may, since the file has said so.
 */
import type { RolloutsConfig, StrategyConfig } from '../../model/rollout-config.ts';
import { type FieldFault, OperationError } from '../problems.ts';
import { type ConfigPath, formatPointer, type Message, MOST_FAULTS } from './faults.ts';
import { nameHint } from './nearest-name.ts';
import { PathTree } from './path-tree.ts';
import type { RawStrategy } from './raw-rollouts.ts';
import { inherits, lay } from './resolve-strategies.ts';
import { resolveOne } from './resolve-strategy.ts';
import type { Review } from './review.ts';
import type { SchemaNode } from './schema-node.ts';
import { strategySchema } from './schema-strategy.ts';
import type { StrategyScope } from './strategy-scope.ts';
import { checkStructure } from './structure.ts';
import { writtenStrategy } from './written-strategy.ts';

const PATH: ConfigPath = ['strategy'];

const SCHEMA: SchemaNode = { type: 'object', properties: { strategy: strategySchema } };

/**
 * @param name what the strategy is called from then on.
 * @param raw JSON.
 * @param rollouts what it may extend, compare with and be approved by.
 * @throws OperationError invalid_request, with a fault per mistake, such as `/strategy/steps/0/weight`.
 */
export function resolveStrategy(
  name: string,
  raw: unknown,
  rollouts: Pick<RolloutsConfig, 'strategies' | 'metrics' | 'approvers'>,
): StrategyConfig {
  const faults = new BodyFaults();
  faults.checkShape(raw);
  const strategy = isMapping(raw) ? resolveGiven(name, raw as RawStrategy, rollouts, faults) : null;
  if (strategy !== null && faults.found.length === 0) return strategy;
  const count = faults.found.length === 1 ? 'a fault' : `${faults.found.length} faults`;
  throw new OperationError('invalid_request', `The strategy has ${count}.`, faults.found.slice(0, MOST_FAULTS));
}

function resolveGiven(
  name: string,
  own: RawStrategy,
  rollouts: Pick<RolloutsConfig, 'strategies' | 'metrics' | 'approvers'>,
  review: Review,
): StrategyConfig | null {
  const at = [...PATH, 'extends'];
  if (!review.sound(at)) return null;
  const below = rollouts.strategies.find((strategy) => strategy.name === own.extends);
  if (own.extends !== undefined && below === undefined) {
    const names = rollouts.strategies.map((strategy) => strategy.name);
    review.report(at, () => `no strategy ${own.extends}; ${nameHint(own.extends!, names)}`);
    return null;
  }
  const base: RawStrategy = below === undefined ? {} : writtenStrategy(below);
  const isInherited = (path: ConfigPath): boolean => inherits(own, base, path.slice(PATH.length));
  const scope: StrategyScope = {
    review: { ...bound(review), sound: (path) => isInherited(path) || review.sound(path) },
    metrics: rollouts.metrics.map((metric) => metric.name),
    approvers: rollouts.approvers,
    secret: (written, path) => {
      if (isInherited(path)) return written as string;
      review.reportKey(
        path,
        'only the configuration may name secrets; put the strategy there, or extend one that has it',
      );
      return null;
    },
    checkCommand: (path) => {
      if (isInherited(path)) return;
      review.reportKey(path, 'only the configuration may name programs; put the strategy there, or use a webhook');
    },
  };
  return resolveOne(name, lay(base, own), PATH, scope);
}

const bound = (review: Review): Pick<Review, 'report' | 'reportKey'> => ({
  report: (path, message) => review.report(path, message),
  reportKey: (path, message) => review.reportKey(path, message),
});

class BodyFaults implements Review {
  readonly found: FieldFault[] = [];
  readonly #misshapen = new PathTree();

  checkShape(raw: unknown): void {
    for (const { path, message, spoils } of checkStructure({ strategy: raw ?? null }, SCHEMA)) {
      this.report(path, message);
      if (spoils !== null) this.#misshapen.add(spoils);
    }
  }

  report(path: ConfigPath, message: Message): void {
    const text = typeof message === 'string' ? message : message();
    this.found.push({ field: formatPointer(path), message: text });
  }

  reportKey(path: ConfigPath, message: Message): void {
    this.report(path, message);
  }

  sound(path: ConfigPath): boolean {
    return !this.#misshapen.touches(path);
  }
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

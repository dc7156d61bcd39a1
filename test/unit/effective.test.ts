/**
 * File + runtime changes: each change that no longer fits is given up alone, and what is left is a configuration that the loader would take.
 *
 * The property is held against the loader itself: what comes out is written as a file again and read by it. `CONFIGS` and `SEED` in the
 * environment make the run longer or another one.
 */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { ConfigError } from '../../src/control/config/faults.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { fitService, withOverrides } from '../../src/control/state/effective.ts';
import {
  endpointKey,
  flagKey,
  lanesKey,
  rollbackKey,
  versionKey,
  weightsKey,
} from '../../src/control/state/overrides.ts';
import type { SluiceConfig } from '../../src/model/config.ts';
import { randomConfig } from '../config/config-dice.ts';
import { Dice } from '../fuzz/dice.ts';
import { fileText } from './change-stage.ts';

const CONFIGS = Number(process.env.CONFIGS ?? 80);
const SEED = Number(process.env.SEED ?? 1);

const NEW = [{ url: 'http://127.0.0.1:3009', weight: 1, maxRequests: 0 }];
const WEIGHTS = weightsKey('shop');
const LANES = lanesKey('shop');
const V = (name: string): string => versionKey('shop', name);

const load = (...args: Parameters<typeof fileText>): SluiceConfig => parseConfig(fileText(...args), 'sluice.yaml', {});

interface Case {
  readonly name: string;
  readonly file?: Parameters<typeof fileText>;
  readonly changes: Readonly<Record<string, unknown>>;
  /** Key and reason of what is given up, in order. */
  readonly dropped: readonly (readonly [string, string])[];
  /** What is left, as part of the first service. */
  readonly left?: object;
}

const FILE_SHOP = { lanes: { stable: 'v1', canary: 'v2' }, weights: { v1: 90, v2: 10, v3: 0 } };
const EXPERIMENT = { experiments: [{ name: 'e', key: { header: 'X-User' }, weights: { v1: 50, v3: 50 } }] };
const toV3 = [{ match: { path: '/x' }, service: 'shop', version: 'v3' }, { service: 'blog' }];

const CASES: readonly Case[] = [
  {
    name: 'weights',
    changes: { [WEIGHTS]: { v1: 1, v2: 99 } },
    dropped: [],
    left: { weights: { v1: 1, v2: 99, v3: 0 } },
  },
  {
    name: 'weights of a version that is gone',
    changes: { [WEIGHTS]: { v1: 50, v9: 50 } },
    dropped: [[WEIGHTS, 'version v9 has a weight of 50 but is not there']],
    left: FILE_SHOP,
  },
  {
    name: 'no weight for a version that is gone',
    changes: { [WEIGHTS]: { v1: 100, v9: 0 } },
    dropped: [],
    left: { weights: { v1: 100, v2: 0, v3: 0 } },
  },
  {
    name: 'weights that do not sum',
    changes: { [WEIGHTS]: { v1: 50, v2: 49.99 } },
    dropped: [[WEIGHTS, 'the weights sum to 99.99, not to 100']],
    left: FILE_SHOP,
  },
  {
    name: 'a lane of a version that is gone',
    changes: { [LANES]: { stable: 'v1', canary: 'v9' } },
    dropped: [[LANES, 'canary names version v9, which is not there']],
    left: FILE_SHOP,
  },
  {
    name: 'a new version',
    changes: { [V('v4')]: NEW, [LANES]: { stable: 'v1', canary: 'v4' }, [WEIGHTS]: { v1: 70, v4: 30 } },
    dropped: [],
    left: { lanes: { canary: 'v4' }, weights: { v1: 70, v2: 0, v3: 0, v4: 30 } },
  },
  {
    name: 'a version of the file that is replaced',
    changes: { [V('v2')]: NEW },
    dropped: [],
    left: { ...FILE_SHOP, versions: [{ name: 'v1' }, { name: 'v2', endpoints: NEW }, { name: 'v3' }] },
  },
  {
    name: 'stable taken out',
    changes: { [V('v1')]: null },
    dropped: [[V('v1'), 'stable names version v1, which is not there']],
    left: FILE_SHOP,
  },
  {
    name: 'stable taken out, another in its place',
    changes: { [V('v1')]: null, [LANES]: { stable: 'v2' }, [WEIGHTS]: { v2: 100 } },
    dropped: [],
    left: { lanes: { stable: 'v2' }, weights: { v2: 100, v3: 0 } },
  },
  {
    name: 'a version taken out that has traffic in the file',
    changes: { [V('v2')]: null, [LANES]: { stable: 'v1' } },
    dropped: [[V('v2'), 'version v2 has a weight of 10 but is not there']],
    left: { lanes: { stable: 'v1' }, weights: { v1: 90, v2: 10, v3: 0 } },
  },
  {
    name: 'a version taken out that a route names',
    file: [{ routes: toV3 }],
    changes: { [V('v3')]: null },
    dropped: [[V('v3'), 'route routes[0] names v3, which would not be there']],
    left: FILE_SHOP,
  },
  {
    name: 'a version taken out that an experiment names',
    file: [{}, EXPERIMENT],
    changes: { [V('v3')]: null },
    dropped: [[V('v3'), 'experiment e names v3, which would not be there']],
  },
  {
    name: 'a version taken out that a header value names',
    file: [{}, { split: { strategy: 'header', header: 'X-T', values: { a: 'v3' }, weights: { v1: 100 } } }],
    changes: { [V('v3')]: null },
    dropped: [[V('v3'), 'split.values names v3, which would not be there']],
  },
  {
    name: 'a version taken out that the file has not any more',
    changes: { [V('v9')]: null },
    dropped: [[V('v9'), 'version v9 is not in the file any more']],
    left: FILE_SHOP,
  },
  {
    name: 'a candidate with weight: the lanes go, since weights are what traffic hangs on',
    changes: { [LANES]: { stable: 'v1', candidate: 'v2' }, [WEIGHTS]: { v1: 50, v2: 50 } },
    dropped: [[LANES, 'v2 is in the candidate lane, which gets no weight']],
    left: { lanes: { canary: 'v2' }, weights: { v1: 50, v2: 50, v3: 0 } },
  },
  {
    name: 'weight for the candidate of the file',
    file: [{}, { lanes: { stable: 'v1', candidate: 'v3' } }],
    changes: { [WEIGHTS]: { v1: 50, v3: 50 } },
    dropped: [[WEIGHTS, 'v3 is in the candidate lane, which gets no weight']],
    left: { weights: { v1: 90, v2: 10, v3: 0 } },
  },
  {
    name: 'a candidate that takes part in an experiment',
    file: [{}, EXPERIMENT],
    changes: { [LANES]: { stable: 'v1', canary: 'v2', candidate: 'v3' } },
    dropped: [[LANES, 'v3 would be the candidate, but experiment e gives it a share']],
    left: FILE_SHOP,
  },
  {
    name: 'more versions with a weight than the floor of a latency split allows',
    file: [{}, { split: { strategy: 'latency', floor: 40, weights: { v1: 50, v2: 50 } } }],
    changes: { [WEIGHTS]: { v1: 40, v2: 30, v3: 30 } },
    dropped: [[WEIGHTS, '3 versions cannot have at least 40% each']],
    left: { weights: { v1: 50, v2: 50, v3: 0 } },
  },
  {
    name: 'an empty lane that a route names',
    file: [{ routes: [{ match: { path: '/x' }, service: 'shop', version: 'canary' }, { service: 'blog' }] }],
    changes: { [LANES]: { stable: 'v1' } },
    dropped: [],
    left: { lanes: { stable: 'v1' } },
  },
  {
    name: 'one that brings the others down',
    changes: { [LANES]: { stable: 'v4', canary: 'v9' }, [WEIGHTS]: { v4: 50, v9: 50 }, [V('v4')]: NEW },
    dropped: [
      [LANES, 'canary names version v9, which is not there'],
      [WEIGHTS, 'version v9 has a weight of 50 but is not there'],
    ],
    left: { ...FILE_SHOP, weights: { ...FILE_SHOP.weights, v4: 0 } },
  },
  {
    name: 'an endpoint that is gone, and one that is there',
    changes: {
      [endpointKey('shop', 'http://127.0.0.1:1')]: { state: 'disabled', until: null },
      [endpointKey('shop', 'http://127.0.0.1:3001')]: { state: 'disabled', until: null },
    },
    dropped: [[endpointKey('shop', 'http://127.0.0.1:1'), 'there is no endpoint http://127.0.0.1:1 any more']],
    left: FILE_SHOP,
  },
  {
    name: 'a service that is gone, with all that was changed of it',
    changes: {
      [weightsKey('old')]: { v1: 100 },
      [rollbackKey('old')]: {},
      [endpointKey('old', 'http://a:1')]: { state: 'disabled', until: null },
    },
    dropped: [
      [endpointKey('old', 'http://a:1'), 'there is no service old any more'],
      [rollbackKey('old'), 'there is no service old any more'],
      [weightsKey('old'), 'there is no service old any more'],
    ],
    left: FILE_SHOP,
  },
  {
    name: 'a flag that is gone',
    changes: { [flagKey('old')]: 5 },
    dropped: [[flagKey('old'), 'there is no flag old any more']],
  },
  {
    name: 'a share of a flag that has no key',
    changes: { [flagKey('banner')]: 5 },
    dropped: [[flagKey('banner'), 'banner has no key any more to tell 5 % of the users by']],
  },
  { name: 'flags', changes: { [flagKey('banner')]: 0, [flagKey('beta')]: 5 }, dropped: [] },
];

for (const { name, file = [], changes, dropped, left } of CASES) {
  t.test(name, async (t) => {
    const loaded = load(...file);
    const before = structuredClone(loaded);
    const result = withOverrides(loaded, new Map(Object.entries(changes)));
    t.strictSame(
      result.dropped.map(({ key, reason }) => [key, reason]),
      dropped,
    );
    if (left !== undefined) t.match(result.config.services[0], left);
    t.strictSame(loaded, before, 'the file itself is left alone');
    const only = fitService(loaded.services[0]!, loaded, new Map(Object.entries(changes)));
    t.strictSame(only.service, result.config.services[0], 'and of one service alone the same comes out');
  });
}

t.test('flags: the share takes the place of the one in this environment', async (t) => {
  const flags = { beta: { environments: { production: 5, staging: 7 }, key: { ip: true } } };
  const { config } = withOverrides(load({ environment: 'production', flags }), new Map([[flagKey('beta'), 50]]));
  t.strictSame(config.flags[0]!.environments, { production: 50, staging: 7 });
});

/** Changes as operators and older files may have left them: mostly plausible, sometimes not. */
function randomChanges(dice: Dice, config: SluiceConfig): Map<string, unknown> {
  const changes = new Map<string, unknown>();
  const known = config.services.flatMap(({ versions }) => versions.map(({ name }) => name));
  const name = (): string => dice.one([...known, 'v4', 'toString']);
  for (const service of [...config.services.map((each) => each.name), 'gone']) {
    if (dice.chance(0.5)) changes.set(weightsKey(service), randomWeights(dice, name));
    if (dice.chance(0.4)) changes.set(lanesKey(service), randomLanes(dice, name));
    for (let i = dice.below(4); i > 0; i--) {
      changes.set(versionKey(service, name()), dice.chance(0.4) ? null : NEW.slice(0, 1));
    }
    const url = dice.one(['http://127.0.0.1:1', 'http://127.0.0.1:3009', 'http://shop.internal:1']);
    if (dice.chance(0.3)) changes.set(endpointKey(service, url), { state: 'disabled', until: null });
  }
  for (const flag of [...config.flags.map((each) => each.name), 'gone']) {
    if (dice.chance(0.5)) changes.set(flagKey(flag), dice.one([0, 0.01, 50, 100]));
  }
  return changes;
}

function randomWeights(dice: Dice, name: () => string): Record<string, number> {
  const weights: Record<string, number> = {};
  let left = 10_000;
  for (let i = dice.below(3); i > 0; i--) {
    const share = dice.below(left + 1);
    weights[name()] = share / 100;
    left -= share;
  }
  // A name that came twice leaves a sum that is not 100.
  weights[name()] = left / 100;
  return weights;
}

function randomLanes(dice: Dice, name: () => string): Record<string, string> {
  const lanes: Record<string, string> = { stable: name() };
  for (const lane of ['canary', 'candidate']) {
    const version = name();
    if (dice.chance(0.5) && !Object.values(lanes).includes(version)) lanes[lane] = version;
  }
  return lanes;
}

type Raw = Record<string, Record<string, Record<string, unknown>>>;

/** The configuration as a file again: what was written, with versions, lanes, weights and flags as they are in force. */
function written(raw: Raw, config: SluiceConfig): string {
  const services = config.services.map(({ name, versions, lanes, weights }) => {
    const service = raw.services![name]!;
    const split = { ...(service.split as object | undefined), weights };
    const named = Object.fromEntries(versions.map((version) => [version.name, { endpoints: version.endpoints }]));
    return [name, { ...service, versions: named, lanes, split }];
  });
  const flags = config.flags.map(({ name, environments }) => {
    const flag: unknown = raw.flags![name];
    const shares = Object.keys(environments).length === 0 ? {} : { environments };
    return [name, { ...(typeof flag === 'object' ? flag : { default: flag }), ...shares }];
  });
  return JSON.stringify({
    ...raw,
    services: Object.fromEntries(services),
    ...(flags.length === 0 ? {} : { flags: Object.fromEntries(flags) }),
  });
}

function loaded(text: string): SluiceConfig | string {
  try {
    return parseConfig(text, 'random.yaml', {});
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

/** What is wrong with the result, or null. */
function faultOf(raw: Raw, file: SluiceConfig, changes: Map<string, unknown>): string | null {
  const { config, dropped } = withOverrides(file, changes);
  const again = loaded(written(raw, config));
  if (typeof again === 'string') return `the loader says ${again}`;
  for (const part of ['services', 'flags'] as const) {
    if (!isDeepStrictEqual(plain(again[part]), plain(config[part]))) return `the loader reads other ${part}`;
  }
  const keys = dropped.map(({ key }) => key);
  if (new Set(keys).size !== keys.length) return `given up twice: ${keys}`;
  const unknown = keys.find((key) => !changes.has(key));
  if (unknown !== undefined) return `given up what was not there: ${unknown}`;
  const rest = new Map([...changes].filter(([key]) => !keys.includes(key)));
  const second = withOverrides(file, rest);
  if (second.dropped.length > 0) return `the rest does not fit: ${JSON.stringify(second.dropped)}`;
  if (!isDeepStrictEqual(second.config, config)) return 'what is given up has left something behind';
  compileSnapshot(config, 1);
  return null;
}

/** Versions by name: in a file their order is that of keys, which names such as `1` change. */
const plain = (parts: SluiceConfig['services'] | SluiceConfig['flags']): unknown =>
  JSON.parse(
    JSON.stringify(parts, (key, value) =>
      key === 'versions'
        ? Object.fromEntries(value.map((version: { name: string }) => [version.name, version]))
        : value,
    ),
  );

t.test('any changes to any file: the loader would take what comes of it', async (t) => {
  let tried = 0;
  let kept = 0;
  for (let i = 0; i < CONFIGS; i++) {
    const dice = new Dice(SEED, i);
    const raw = randomConfig(dice) as Raw;
    const file = loaded(JSON.stringify(raw));
    if (typeof file === 'string') continue;
    const unchanged = withOverrides(file, new Map());
    if (unchanged.dropped.length > 0 || !isDeepStrictEqual(unchanged.config, file))
      t.fail(`${i}: nothing is not nothing`);
    for (let j = 0; j < 8; j++) {
      const changes = randomChanges(dice, file);
      tried++;
      if (withOverrides(file, changes).dropped.length < changes.size) kept++;
      const fault = faultOf(raw, file, changes);
      if (fault !== null) t.fail(`configuration ${i} of seed ${SEED}: ${fault}`, { raw, changes: [...changes] });
    }
  }
  t.ok(tried > CONFIGS * 2 && kept > tried / 4, `${tried} tried, of ${kept} something stayed`);
});

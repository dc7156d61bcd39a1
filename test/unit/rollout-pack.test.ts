/**
 * The rollback pack: everything that is changed in one is found, what is put back is something that the service can have, and the comparison
 * says what is not as it was and nothing else.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { canonicalJson, sha256 } from '../../src/control/rollout/digest.ts';
import {
  differencesFrom,
  isIntact,
  type PackState,
  packOf,
  packView,
  type RollbackPack,
  restorationOf,
  verificationOf,
} from '../../src/control/rollout/rollback-pack.ts';
import { withOverrides } from '../../src/control/state/effective.ts';
import {
  endpointKey,
  flagKey,
  flagOverrides,
  lanesKey,
  type OverrideEntries,
  versionKey,
  weightsKey,
} from '../../src/control/state/overrides.ts';
import { flagShare } from '../../src/model/admin-config.ts';
import type { SluiceConfig } from '../../src/model/config.ts';
import { Dice } from '../fuzz/dice.ts';
import { fileText } from './change-stage.ts';
import { leaves, tampered } from './json-leaves.ts';

const NOW = Date.UTC(2026, 2, 2, 9, 30);
const TOKEN = 'correct-horse-battery';

const file = (...args: Parameters<typeof fileText>): SluiceConfig =>
  parseConfig(fileText(...args), 'sluice.yaml', { TOKEN });

const FILE = file();

/** What runs with that file and these runtime changes. */
function running(
  changes: Readonly<Record<string, unknown>> = {},
  from = FILE,
): PackState & { entries: OverrideEntries } {
  const entries: OverrideEntries = new Map(Object.entries(changes));
  const { config, dropped } = withOverrides(from, entries);
  if (dropped.length > 0) throw new Error(JSON.stringify(dropped));
  const overrides = flagOverrides(entries);
  const flags = from.flags.map((flag) => {
    const override = overrides.get(flag.name) ?? null;
    return { name: flag.name, value: override ?? flagShare(flag, from.environment), override };
  });
  return { service: config.services.find(({ name }) => name === 'shop')!, config, flags, entries };
}

const pack = (state = running()): RollbackPack => packOf({ ...state, rollout: 'r-1', now: NOW });

/** As it comes back from the store. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value));

const WEIGHTS = weightsKey('shop');
const LANES = lanesKey('shop');
const V3 = [{ url: 'http://127.0.0.1:3004', weight: 1, maxRequests: 0 }];

const FULL = {
  [WEIGHTS]: { v1: 70, v2: 20, v3: 10 },
  [endpointKey('shop', 'http://127.0.0.1:3002')]: { state: 'disabled', until: null },
  [weightsKey('blog')]: { b1: 100 },
  [flagKey('beta')]: 12.5,
};

t.test('what is in a pack', async (t) => {
  const from = file({ admin: { tokens: [{ name: 'ci', role: 'operator', env: 'TOKEN' }] } });
  const made = pack(running(FULL, from));
  t.match(made, { id: 'pack-r-1', rollout: 'r-1', service: 'shop', createdAt: NOW });
  t.strictSame(stored(made), made, 'plain JSON');
  const { weights, lanes, versions, overrides, flags, config } = made.parts;
  t.strictSame(weights, { v1: 70, v2: 20, v3: 10 });
  t.strictSame(lanes, { stable: 'v1', canary: 'v2' });
  t.strictSame(versions.v3, V3);
  t.strictSame(Object.keys(versions), ['v1', 'v2', 'v3']);
  t.strictSame(overrides, {
    'endpoints/http://127.0.0.1:3002': { state: 'disabled', until: null },
    weights: { v1: 70, v2: 20, v3: 10 },
  });
  t.strictSame(flags, { banner: { value: 100, override: null }, beta: { value: 12.5, override: 12.5 } });
  t.match(config, { workers: 2, services: { blog: {} }, admin: { tokens: [{ secret: 'env:TOKEN' }] } });
  t.notMatch(JSON.stringify(made), TOKEN, 'no secrets');
});

t.test('manifest, checksum, view', async (t) => {
  const made = pack();
  t.strictSame(
    made.manifest.map(({ part }) => part),
    ['weights', 'lanes', 'versions', 'overrides', 'flags', 'config'],
  );
  const text = '{"v1":90,"v2":10,"v3":0}';
  t.strictSame(made.manifest[0], { part: 'weights', sha256: sha256(text), bytes: text.length });
  const { createdAt, id, manifest, rollout, service } = made;
  t.equal(made.checksum, sha256(canonicalJson({ createdAt, id, manifest, rollout, service })));
  t.strictSame(isIntact(made), { ok: true, faults: [] });
  t.strictSame(isIntact(stored(made)), { ok: true, faults: [] });
  t.strictSame(packView(stored(made)), {
    id: 'pack-r-1',
    rollout: 'r-1',
    service: 'shop',
    createdAt: '2026-03-02T09:30:00.000Z',
    manifest,
    checksum: made.checksum,
    intact: true,
  });
  t.equal(pack().checksum, made.checksum, 'the same state is the same pack');
  t.not(packOf({ ...running(), rollout: 'r-2', now: NOW }).checksum, made.checksum);
});

t.test('every change of a pack is found', async (t) => {
  const made = stored(pack(running(FULL)));
  const isSampled = ([first, part]: readonly string[], index: number): boolean =>
    first !== 'parts' || part !== 'config' || index % 10 === 0;
  const paths = leaves(made).filter(isSampled);
  t.ok(paths.length > 80, `${paths.length} values`);
  const unseen = paths.filter((path) => isIntact(tampered(made, path)).ok);
  t.strictSame(unseen, []);
  t.equal(packView(tampered(made, ['parts', 'weights', 'v1'])).intact, false);

  const change = (
    edit: (copy: Record<string, Record<string, unknown>> & { manifest: unknown[] }) => void,
  ): readonly string[] => {
    const copy = structuredClone(made) as never;
    edit(copy);
    return isIntact(copy).faults;
  };
  const noChecksum = 'the checksum does not fit what the pack says of itself';
  t.strictSame(
    change((copy) => delete copy.parts!.lanes),
    ['lanes is missing'],
  );
  t.strictSame(
    change((copy) => (copy.parts!.more = 1)),
    ['the manifest names more 0 times'],
  );
  t.strictSame(
    change((copy) => (copy.parts!.lanes = { stable: 'v2' })),
    ['lanes is not what was packed'],
  );
  t.strictSame(
    change((copy) => copy.manifest.shift()),
    [noChecksum, 'the manifest names weights 0 times'],
  );
  t.strictSame(
    change((copy) => copy.manifest.push(copy.manifest[0])),
    [noChecksum, 'the manifest names weights 2 times'],
  );
  t.strictSame(
    change((copy) => copy.manifest.reverse()),
    [noChecksum],
  );
  t.match(
    change((copy) => (copy.manifest[0] = null)),
    [noChecksum, /weights 0 times/],
  );
  t.match(
    change((copy) => (copy.rollout = 'r-2' as never)),
    [noChecksum, 'pack-r-1 is not the pack of r-2'],
  );
  const { createdAt, id, manifest, rollout, service } = tampered(made, ['manifest', '0', 'bytes']);
  const checksum = sha256(canonicalJson({ createdAt, id, manifest, rollout, service }));
  t.strictSame(isIntact({ ...made, manifest, checksum }).faults, ['weights is not what was packed'], 'wrong size');
  for (const other of [null, undefined, 1, 'pack', [], {}, { parts: {} }, { parts: null, manifest: [] }]) {
    t.strictSame(isIntact(other), { ok: false, faults: ['this is not a rollback pack'] });
  }
  const odd = packView({ ...made, createdAt: 1e300 });
  t.match(odd, { createdAt: '1e+300', intact: false }, 'a damaged one can be shown');
});

t.test('what is put back', async (t) => {
  const restored = (before: object, now: object, failed = 'v2', from?: SluiceConfig) => {
    const { lanes, weights, flags } = restorationOf(pack(running({ ...before })), running({ ...now }, from), failed);
    return { lanes, weights, flags };
  };
  const was = { lanes: { stable: 'v1', canary: 'v2' }, flags: [] };
  t.strictSame(
    restored({}, {}),
    { ...was, weights: { v1: 100, v2: 0, v3: 0 } },
    'the share of the failed one is stable’s',
  );
  t.strictSame(restored({}, {}, 'v3'), { ...was, weights: { v1: 90, v2: 10, v3: 0 } });
  const third = { [WEIGHTS]: { v1: 33.33, v2: 33.33, v3: 33.34 } };
  t.strictSame(restored(third, {}), { ...was, weights: { v1: 66.66, v2: 0, v3: 33.34 } }, 'exact in hundredths');
  t.match(restored({}, {}, 'v1').weights, { v1: 90, v2: 10 }, 'stable has nobody to give to');

  const moved = { [WEIGHTS]: { v1: 0, v2: 0, v3: 100 }, [LANES]: { stable: 'v3', candidate: 'v2' } };
  t.strictSame(restored({}, moved, 'v3'), { ...was, weights: { v1: 90, v2: 10, v3: 0 } }, 'lanes as they were');
  const candidate = { [WEIGHTS]: { v1: 90, v2: 0, v3: 10 }, [LANES]: { stable: 'v1', canary: 'v3', candidate: 'v2' } };
  t.strictSame(restored(candidate, {}, 'v3'), {
    lanes: { stable: 'v1', canary: 'v3', candidate: 'v2' },
    weights: { v1: 100, v2: 0, v3: 0 },
    flags: [],
  });

  const without = (...gone: string[]): SluiceConfig => {
    const shop: Record<string, unknown> = { v1: { endpoints: ['http://127.0.0.1:3001'] } };
    shop.v3 = { endpoints: ['http://127.0.0.1:3004'] };
    for (const name of gone) delete shop[name];
    const stable = gone.includes('v1') ? 'v3' : 'v1';
    return file({}, { versions: shop, lanes: { stable }, split: undefined });
  };
  t.strictSame(restored(FULL, {}, 'v3', without()), {
    lanes: { stable: 'v1' },
    weights: { v1: 100, v3: 0 },
    flags: [{ name: 'beta', value: 12.5 }],
  });
  t.strictSame(restored({}, {}, 'v2', without('v1')), { lanes: { stable: 'v3' }, weights: { v3: 100 }, flags: [] });
  const asCanary = { [LANES]: { stable: 'v1', canary: 'v3' } };
  t.strictSame(restored(asCanary, {}, 'v2', without('v1')).lanes, { stable: 'v3' }, 'no version is in two lanes');
  const asCandidate = { [LANES]: { stable: 'v1', candidate: 'v3' } };
  t.strictSame(restored(asCandidate, {}, 'v2', without('v1')).lanes, { stable: 'v3' });
  const added = { [versionKey('shop', 'v9')]: V3.map((each) => ({ ...each, url: 'http://127.0.0.1:3009' })) };
  t.match(restored({}, added).weights, { v1: 100, v9: 0 }, 'what is new gets nothing');
});

t.test('nothing of a damaged pack is put back', async (t) => {
  const now = running({ [WEIGHTS]: { v1: 80, v2: 20 }, [LANES]: { stable: 'v1', canary: 'v3' }, [flagKey('beta')]: 5 });
  for (const path of [['parts', 'flags', 'beta', 'override'], ['parts', 'weights', 'v3'], ['checksum']]) {
    t.strictSame(restorationOf(tampered(pack(), path), now, 'v2'), {
      lanes: { stable: 'v1', canary: 'v3' },
      weights: { v1: 100, v2: 0, v3: 0 },
      flags: [],
      overridden: { lanes: false, weights: false },
    });
  }
  t.match(restorationOf({} as RollbackPack, now, 'v2'), { flags: [] });
});

t.test('flags are put back as they were set, not as the file has them', async (t) => {
  const flags = (before: object, now: object) =>
    restorationOf(pack(running({ ...before })), running({ ...now }), 'v2').flags;
  const beta = (value: number) => ({ [flagKey('beta')]: value });
  t.strictSame(flags(beta(5), beta(5)), []);
  t.strictSame(flags(beta(5), beta(20)), [{ name: 'beta', value: 5 }]);
  t.strictSame(flags(beta(5), {}), [{ name: 'beta', value: 5 }]);
  t.strictSame(flags({}, beta(5)), [{ name: 'beta', value: null }]);
  const gone = running({}, file({ flags: { other: true } }));
  t.strictSame(restorationOf(pack(running(beta(5))), gone, 'v2').flags, [], 'what is gone cannot be set');
  t.strictSame(restorationOf(pack(), running({ [WEIGHTS]: { v1: 100 } }), 'v2').overridden, {
    lanes: false,
    weights: false,
  });
  t.strictSame(restorationOf(pack(running(FULL)), running(), 'v2').overridden, { lanes: false, weights: true });
});

t.test('what is not as it was', async (t) => {
  const STABLE = { [WEIGHTS]: { v1: 100, v2: 0, v3: 0 } };
  const said = (before: object, now: object, from?: SluiceConfig, failed = 'v2') => {
    const state = running({ ...now }, from);
    const made = pack(running({ ...before }));
    const { ok, differences } = verificationOf(made, state, failed);
    t.strictSame(differencesFrom(made, state, failed), differences);
    return { ok, differences };
  };
  const all = { [WEIGHTS]: { v1: 100 } };
  t.strictSame(said(all, all), { ok: true, differences: [] });
  t.strictSame(said({}, STABLE), { ok: true, differences: ['v2 had 10 % before, which v1 has now'] });
  t.strictSame(said(all, { [WEIGHTS]: { v1: 95, v2: 5 } }), {
    ok: false,
    differences: ['v1 has 95 %, and should have 100 %', 'v2 has 5 %, and should have 0 %'],
  });
  t.strictSame(said(FULL, { ...FULL, ...STABLE }), {
    ok: false,
    differences: [
      'v1 has 100 %, and should have 90 %',
      'v3 has 0 %, and should have 10 %',
      'v2 had 20 % before, which v1 has now',
    ],
  });
  t.strictSame(said(all, { ...all, [LANES]: { stable: 'v1', candidate: 'v3' } }), {
    ok: false,
    differences: ['canary is nothing, and was v2', 'candidate is v3, and was nothing'],
  });

  const beta = (value: number) => ({ ...all, [flagKey('beta')]: value });
  t.strictSame(said(all, beta(5)).differences, ['flag beta is set to 5 %, and was 0 % by the file']);
  t.strictSame(said(beta(5), all), { ok: false, differences: ['flag beta is 0 % by the file, and was set to 5 %'] });
  const flags = (beta: object | undefined) => file({ flags: { banner: true, ...(beta && { beta }) } });
  t.strictSame(said(all, all, flags({ default: '7%', key: { header: 'X-User' } })), {
    ok: true,
    differences: ['the file has flag beta at 7 % now, and had it at 0 %'],
  });
  t.match(said(all, all, flags(undefined)), {
    ok: true,
    differences: [
      'flag beta is not there any more; it was at 0 %',
      'the configuration has changed meanwhile: flags.beta',
    ],
  });

  const versions = {
    ...all,
    [versionKey('shop', 'v3')]: [{ ...V3[0], weight: 2 }],
    [versionKey('shop', 'v9')]: V3.map((each) => ({ ...each, url: 'http://127.0.0.1:3009' })),
  };
  t.strictSame(said(all, versions), {
    ok: true,
    differences: ['version v9 was not there before', 'version v3 has other endpoints than before'],
  });
  t.match(said(versions, all).differences, [/^version v9 is not there any more$/, /^version v3 has other endpoints/]);

  const later = file({ workers: 3 }, { timeouts: { connect: '2s' }, split: { weights: { v1: 50, v2: 50 } } });
  t.strictSame(said(all, all, later), {
    ok: true,
    differences: ['the configuration has changed meanwhile: services.shop.timeouts.connect, workers'],
  });
  const limits = { headSize: '17KiB', headerCount: 99, targetLength: '9KiB', bodySize: '1MiB', connections: 99 };
  t.match(said(all, all, file({ workers: 3, limits })).differences, [
    /: limits\.bodySize, (limits\.\w+(, )?){4} and 1 more$/,
  ]);
  t.strictSame(said(all, { ...all, [weightsKey('blog')]: { b1: 100 } }).differences, [], 'others’ weights are theirs');

  const damaged = tampered(pack(running(all)), ['parts', 'weights', 'v1']);
  t.strictSame(verificationOf(damaged, running(all), 'v2'), {
    ok: false,
    differences: ['the rollback pack is damaged: weights is not what was packed'],
  });
});

t.test('whatever was and is: what is put back fits, and is then found to be as it was', async (t) => {
  const names = ['v1', 'v2', 'v3'];
  const ORDERS = [
    ['v1', 'v2', 'v3'],
    ['v1', 'v3', 'v2'],
    ['v2', 'v1', 'v3'],
    ['v2', 'v3', 'v1'],
    ['v3', 'v1', 'v2'],
    ['v3', 'v2', 'v1'],
  ] as const;
  const dice = new Dice(3);
  const state = (): Record<string, unknown> => {
    const [stable, canary, candidate] = dice.one(ORDERS);
    const part = dice.below(10_001);
    return {
      [LANES]: { stable, ...(dice.chance(0.5) ? { canary } : {}), candidate },
      [WEIGHTS]: { [stable]: part / 100, [canary]: (10_000 - part) / 100 },
      ...(dice.chance(0.5) ? { [flagKey('beta')]: dice.below(101) } : {}),
    };
  };
  for (let round = 0; round < 80; round++) {
    const before = running(state());
    const now = running(state());
    const made = stored(pack(before));
    const failed = dice.one(names.filter((name) => name !== before.service.lanes.stable));
    const { lanes, weights, flags } = restorationOf(made, now, failed);
    const changes: Record<string, unknown> = Object.fromEntries(now.entries);
    Object.assign(changes, { [LANES]: lanes, [WEIGHTS]: weights });
    for (const { name, value } of flags) {
      if (value === null) delete changes[flagKey(name)];
      else changes[flagKey(name)] = value;
    }
    // Throws where the service cannot have it.
    const verified = verificationOf(made, running(changes), failed);
    const isRight =
      verified.ok && weights[failed] === 0 && canonicalJson(lanes) === canonicalJson(before.service.lanes);
    t.ok(isRight, JSON.stringify({ before: before.service.weights, failed, lanes, weights, verified }));
  }
});

t.test('the documentation shows a pack as it is', async (t) => {
  const page = readFileSync(new URL('../../docs/rollback-pack.md', import.meta.url), 'utf8');
  const json = /^```json\n(.*?)^```/ms.exec(page)?.[1] ?? '{}';
  const shown: RollbackPack = JSON.parse(json);
  const made = packView(pack());
  t.strictSame(Object.keys(shown), Object.keys(made));
  t.strictSame(
    shown.manifest.map(({ part }) => part),
    made.manifest.map(({ part }) => part),
  );
  t.strictSame(shown.manifest.slice(0, 2), made.manifest.slice(0, 2));
});

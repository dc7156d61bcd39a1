/** Keys and values of runtime changes. */
import t from 'tap';
import {
  endpointKey,
  flagKey,
  flagOverrides,
  isEndpointKey,
  lanesKey,
  overriddenKeys,
  overriddenServices,
  rollbackKey,
  serviceOverrides,
  versionKey,
  weightsKey,
} from '../../src/control/state/overrides.ts';

const URL1 = 'http://127.0.0.1:3001';
const PLAN = { by: 20, everyMs: 60_000, reason: 'slow', nextAt: 5 };
const V3 = [{ url: URL1, weight: 1, maxRequests: 0 }];

const entries = new Map<string, unknown>([
  [weightsKey('shop'), { v1: 100 }],
  [lanesKey('shop'), { stable: 'v1' }],
  [rollbackKey('shop'), PLAN],
  [versionKey('shop', 'v3'), V3],
  [versionKey('shop', 'v2'), null],
  [endpointKey('shop', URL1), { state: 'draining', until: 7 }],
  [weightsKey('shop2'), { a: 100 }],
  [versionKey('constructor', 'v1'), V3],
  [flagKey('beta'), 0],
  [flagKey('weights'), 12.5],
]);

t.test('keys as they stand in the store', async (t) => {
  t.strictSame(
    [...entries.keys()],
    [
      'override/services/shop/weights',
      'override/services/shop/lanes',
      'override/services/shop/rollback',
      'override/services/shop/versions/v3',
      'override/services/shop/versions/v2',
      `override/services/shop/endpoints/${URL1}`,
      'override/services/shop2/weights',
      'override/services/constructor/versions/v1',
      'override/flags/beta',
      'override/flags/weights',
    ],
  );
  t.strictSame([...entries.keys()].filter(isEndpointKey), [endpointKey('shop', URL1)]);
});

t.test('one service, and nothing of those whose names begin like it', async (t) => {
  t.strictSame(serviceOverrides(entries, 'shop'), {
    weights: { v1: 100 },
    lanes: { stable: 'v1' },
    rollback: PLAN,
    versions: new Map<string, unknown>([
      ['v3', V3],
      ['v2', null],
    ]),
    endpoints: new Map([[URL1, { state: 'draining', until: 7 }]]),
  });
  t.strictSame(serviceOverrides(entries, 'sho'), {
    weights: null,
    lanes: null,
    rollback: null,
    versions: new Map(),
    endpoints: new Map(),
  });
  t.strictSame([...overriddenServices(entries)], ['shop', 'shop2', 'constructor']);
  t.strictSame(overriddenKeys(entries, 'shop'), [
    `endpoints/${URL1}`,
    'lanes',
    'rollback',
    'versions/v2',
    'versions/v3',
    'weights',
  ]);
  t.strictSame(overriddenKeys(entries, 'blog'), []);
});

t.test('flags', async (t) => {
  t.strictSame(
    [...flagOverrides(entries)],
    [
      ['beta', 0],
      ['weights', 12.5],
    ],
    'off is a change too',
  );
});

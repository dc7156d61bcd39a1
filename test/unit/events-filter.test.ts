import t from 'tap';
import { matchesTypes } from '../../src/control/events/event-filter.ts';

t.test('types, prefixes, everything', async (t) => {
  for (const [types, type, wanted] of [
    [[], 'alert', true],
    [['*'], 'alert', true],
    [['alert'], 'alert', true],
    [['weights.changed'], 'alert', false],
    [['weights.changed', 'endpoint.*'], 'endpoint.health', true],
    [['endpoint.*'], 'alert', false],
    [['endpoint'], 'endpoint.health', false],
    [['endpoint.'], 'endpoint.health', false],
  ] as const) {
    t.equal(matchesTypes(types, type), wanted, `${types} ${type}`);
  }
});

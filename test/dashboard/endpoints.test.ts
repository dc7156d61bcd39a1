import t from 'tap';
import { conditionOf, lossOf } from '../../src/dashboard/views/endpoints/condition.ts';
import { endpoint, service } from './stage.ts';

const A = 'http://127.0.0.1:1';
const B = 'http://127.0.0.1:2';

t.test('one word for three owners', async (t) => {
  const down = { available: false } as const;
  t.equal(conditionOf(endpoint(A)), 'healthy');
  t.equal(conditionOf(endpoint(A, { ...down, healthy: false, ejected: true })), 'unhealthy');
  t.equal(conditionOf(endpoint(A, { ...down, ejected: true })), 'ejected');
  t.equal(conditionOf(endpoint(A, { ...down, state: 'disabled', healthy: false })), 'disabled');
  t.equal(conditionOf(endpoint(A, { ...down, state: 'draining', inFlight: 3 })), 'draining');
  t.equal(conditionOf(endpoint(A, { ...down, state: 'draining' })), 'drained');
  t.equal(conditionOf(endpoint(A, down)), 'unavailable');
});

t.test('the last one that is available is missed', async (t) => {
  const out = endpoint(B, { available: false, healthy: false });
  const shop = (v1: ReturnType<typeof endpoint>[]) =>
    service({ v1: 90, v2: 10 }, { canary: 'v2' }, { v1, v2: [endpoint(A)] });
  t.match(lossOf(shop([endpoint(A), out]), 'v1', A), /last available endpoint of v1, the stable version/);
  t.equal(lossOf(shop([endpoint(A), endpoint(B)]), 'v1', A), null, 'another one is there');
  t.equal(lossOf(shop([endpoint(A), out]), 'v1', B), null, 'it carries nothing already');
  t.match(lossOf(shop([endpoint(A)]), 'v2', A), /last available endpoint of v2: its requests will go to v1/);
});

/** What an operator says of an endpoint, and the deadline of a drain. */
import t from 'tap';
import { EndpointStates } from '../../src/control/health/endpoint-states.ts';
import { DISABLED, DRAINING, flagsOf, newEndpointTable, setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

const DAY = 24 * 3_600_000;

function setUp() {
  const clock = new FakeClock();
  const table = newEndpointTable();
  return { clock, table, states: new EndpointStates({ clock, table, logger: silentLogger }) };
}

t.test('each state has its flag and leaves those of others alone', async (t) => {
  const { table, states } = setUp();
  setFlag(table, 3, UNHEALTHY);
  t.equal(states.stateOf(3), 'enabled');
  states.drain(3);
  t.equal(states.stateOf(3), 'draining');
  t.equal(flagsOf(table, 3), UNHEALTHY | DRAINING);
  states.disable(3);
  t.equal(states.stateOf(3), 'disabled');
  t.equal(flagsOf(table, 3), UNHEALTHY | DISABLED);
  states.enable(3);
  t.equal(states.stateOf(3), 'enabled');
  t.equal(flagsOf(table, 3), UNHEALTHY);
});

t.test('a drain ends at its deadline, once', async (t) => {
  const { clock, states } = setUp();
  states.drain(0, 1_000);
  states.drain(1);
  states.drain(2, 0);
  t.equal(states.stateOf(2), 'disabled', 'a deadline of 0 is over');
  clock.advance(999);
  t.equal(states.stateOf(0), 'draining');
  clock.advance(1);
  t.equal(states.stateOf(0), 'disabled');
  states.enable(0);
  clock.advance(DAY);
  t.equal(states.stateOf(0), 'enabled', 'no deadline comes back');
  t.equal(states.stateOf(1), 'draining', 'without a deadline it lasts');
});

t.test('whatever is said later takes the deadline back', async (t) => {
  const { clock, states } = setUp();
  states.drain(0, 1_000);
  states.enable(0);
  states.drain(1, 1_000);
  states.drain(1, 5_000);
  states.drain(2, 1_000);
  states.close();
  clock.advance(DAY);
  t.equal(states.stateOf(0), 'enabled');
  t.equal(states.stateOf(1), 'draining', 'closed before its new deadline');
  t.equal(states.stateOf(2), 'draining', 'nothing happens after the end');
});

t.test('a deadline that is too far for a timer does not fire at once', async (t) => {
  const { clock, states } = setUp();
  let asked = 0;
  const setInterval = clock.setInterval.bind(clock);
  clock.setInterval = (tick, ms) => {
    asked = ms;
    return setInterval(tick, ms);
  };
  states.drain(0, 365 * DAY);
  t.ok(asked < 2 ** 31, `${asked} ms`);
  clock.advance(23 * DAY);
  t.equal(states.stateOf(0), 'draining');
  clock.advance(2 * DAY);
  t.equal(states.stateOf(0), 'disabled');
});

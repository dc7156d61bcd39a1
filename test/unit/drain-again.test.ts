/** Every change looks at every endpoint; one that drains already is not told so a hundred times a second. */
import t from 'tap';
import { EndpointOperations } from '../../src/control/change/endpoint-state.ts';
import { EndpointStates } from '../../src/control/health/endpoint-states.ts';
import { DISABLED, DRAINING, flagsOf, newEndpointTable } from '../../src/model/endpoint-table.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { CI, newStage, refusal } from './change-stage.ts';

const URL_1 = 'http://127.0.0.1:3001';

t.test('draining', async (t) => {
  const stage = await newStage(t);
  const table = newEndpointTable();
  const said: unknown[] = [];
  const logger = { ...silentLogger, info: (_event: string, fields?: object) => void said.push(fields) };
  const states = new EndpointStates({ clock: stage.clock, table, logger });
  const endpoints = new EndpointOperations({ core: stage.core, states, wallClock: stage.wallClock });
  const drain = async (deadlineMs: number): Promise<void> => {
    await endpoints.set(CI, 'shop', URL_1, 'drain', { deadlineMs });
    endpoints.settle(stage.core.state);
  };
  await drain(10_000);
  for (let i = 0; i < 10; i++) endpoints.settle(stage.core.state);
  t.equal(said.length, 1);
  t.equal(flagsOf(table, 0), DRAINING);

  await drain(60_000);
  t.equal(said.length, 2, 'another deadline is a change');
  await stage.pass(30_000);
  t.equal(flagsOf(table, 0), DRAINING);
  await stage.pass(30_000);
  t.equal(flagsOf(table, 0), DISABLED);
  t.match(
    await refusal(endpoints.set(CI, 'shop', URL_1, 'drain', { deadlineMs: 3.6e16 })),
    /^invalid_request: deadline/,
    'a deadline that has no date',
  );
});

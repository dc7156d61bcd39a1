/** Endpoints as their operators leave them, over snapshots, reloads, restarts and deadlines. */
import t, { type Test } from 'tap';
import { EndpointOperations } from '../../src/control/change/endpoint-state.ts';
import { VersionOperations } from '../../src/control/change/versions.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { EndpointStates } from '../../src/control/health/endpoint-states.ts';
import { newEndpointTable } from '../../src/model/endpoint-table.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { CI, fileText, newStage, refusal, type Stage } from './change-stage.ts';

const URL1 = 'http://127.0.0.1:3001';
const URL3 = 'http://127.0.0.1:3003';
const TWICE = fileText(
  {},
  { versions: { v1: { endpoints: [URL1] }, v2: { endpoints: [URL1, URL3] }, v3: { endpoints: [URL3] } } },
);

interface Running extends Stage {
  readonly endpoints: EndpointOperations;
  /** `version url state`, of those that are not enabled. */
  now(): string[];
  settle(): void;
}

async function start(t: Test, text = TWICE, before?: Stage): Promise<Running> {
  const stage = await newStage(t, text, before);
  const { core, clock, wallClock, journal } = stage;
  const logger = { ...silentLogger, info: () => void journal.push('log') };
  const states = new EndpointStates({ clock, table: newEndpointTable(), logger });
  t.teardown(() => states.close());
  const endpoints = new EndpointOperations({ core, states, wallClock });
  const settle = (): void => endpoints.settle(core.state);
  const now = (): string[] =>
    core.state.snapshot.services.flatMap(({ versions }) =>
      versions.flatMap((version) =>
        version.endpoints
          .map(({ id, url }) => `${version.name} ${url.slice(-4)} ${states.stateOf(id)}`)
          .filter((line) => !line.endsWith('enabled')),
      ),
    );
  settle();
  return { ...stage, endpoints, now, settle };
}

async function set(
  stage: Running,
  ...args: Parameters<EndpointOperations['set']> extends [unknown, ...infer Rest] ? Rest : never
) {
  await stage.endpoints.set(CI, ...args);
  stage.settle();
}

t.test('wherever the URL stands', async (t) => {
  const stage = await start(t);
  await set(stage, 'shop', URL1, 'drain', { reason: 'new disk' });
  t.strictSame(stage.now(), ['v1 3001 draining', 'v2 3001 draining']);
  await set(stage, 'shop', URL1, 'disabled', {});
  t.strictSame(stage.now(), ['v1 3001 disabled', 'v2 3001 disabled']);
  t.strictSame(await stage.kept(), { [`services/shop/endpoints/${URL1}`]: { state: 'disabled', until: null } });
  await set(stage, 'shop', URL1, 'enabled', {});
  t.strictSame(stage.now(), []);
  t.strictSame(await stage.kept(), {}, 'enabled is how an endpoint is anyway');
  t.match(await stage.audit(), [
    {
      action: 'endpoint.state',
      target: `services/shop/endpoints/${URL1}`,
      before: 'enabled',
      after: 'draining',
      reason: 'new disk',
    },
    { before: 'draining', after: 'disabled' },
    { before: 'disabled', after: 'enabled' },
  ]);
  t.match(stage.told, [
    { type: 'endpoint.state', endpoint: URL1, data: { state: 'draining' } },
    {},
    { data: { state: 'enabled' } },
  ]);
  t.notOk(
    stage.journal.some((word) => /apply|weigh/.test(word)),
    'no worker has to be told',
  );
});

t.test('a deadline', async (t) => {
  const stage = await start(t);
  await set(stage, 'shop', URL3, 'drain', { deadlineMs: 30_000 });
  t.match(stage.told, [
    { message: /is draining until 2026-01-01T00:00:30.000Z/, data: { until: '2026-01-01T00:00:30.000Z' } },
  ]);
  await stage.pass(29_999);
  stage.settle();
  t.strictSame(
    stage.now(),
    ['v2 3003 draining', 'v3 3003 draining'],
    'what others change meanwhile does not prolong it',
  );
  await stage.pass(1);
  t.strictSame(stage.now(), ['v2 3003 disabled', 'v3 3003 disabled']);
  stage.settle();
  t.strictSame(stage.now(), ['v2 3003 disabled', 'v3 3003 disabled'], 'nor does it begin again');
  await set(stage, 'shop', URL3, 'drain', { deadlineMs: 5_000 });
  t.strictSame(stage.now(), ['v2 3003 draining', 'v3 3003 draining'], 'a new one does');
  await set(stage, 'shop', URL3, 'drain', {});
  await stage.pass(60_000);
  t.strictSame(stage.now(), ['v2 3003 draining', 'v3 3003 draining'], 'and without one it lasts');
  await set(stage, 'shop', URL3, 'drain', { deadlineMs: 0 });
  t.strictSame(stage.now(), ['v2 3003 disabled', 'v3 3003 disabled'], 'none at all');
});

t.test('a restart', async (t) => {
  const first = await start(t);
  await set(first, 'shop', URL1, 'disabled', {});
  await set(first, 'shop', URL3, 'drain', { deadlineMs: 30_000 });
  await first.pass(10_000);
  const second = await start(t, TWICE, first);
  t.strictSame(second.now(), ['v1 3001 disabled', 'v2 3001 disabled', 'v2 3003 draining', 'v3 3003 draining']);
  await second.pass(19_999);
  t.match(second.now()[2], /draining/);
  await second.pass(1);
  t.match(second.now()[2], /disabled/, 'the deadline is the one that was set');

  await set(second, 'shop', URL3, 'drain', { deadlineMs: 30_000 });
  second.wall.now += 3_600_000;
  const third = await start(t, TWICE, second);
  t.match(third.now()[2], /disabled/, 'it passed while nobody was there');
});

t.test('over changes of versions and files', async (t) => {
  const stage = await start(t);
  await set(stage, 'shop', URL3, 'disabled', {});
  const versions = new VersionOperations(stage.core);
  await versions.put(CI, 'shop', 'v4', [{ url: URL3 }], {});
  stage.settle();
  t.strictSame(stage.now(), ['v2 3003 disabled', 'v3 3003 disabled', 'v4 3003 disabled'], 'in a new version too');
  const other = parseConfig(
    fileText({}, { versions: { v1: { endpoints: [URL1] }, v2: { endpoints: [URL1] }, v3: { endpoints: [URL1] } } }),
    'sluice.yaml',
    {},
  );
  await versions.remove(CI, 'shop', 'v4', {});
  const { dropped } = await stage.core.adopt(CI, {}, other, { before: null, after: null, events: [] });
  t.match(dropped, [{ reason: `there is no endpoint ${URL3} any more` }]);
  t.strictSame(await stage.kept(), {});
});

t.test('refusals', async (t) => {
  const stage = await start(t);
  const refused = (...args: Parameters<EndpointOperations['set']> extends [unknown, ...infer Rest] ? Rest : never) =>
    refusal(stage.endpoints.set(CI, ...args));
  t.match(
    await refused('shop', 'http://127.0.0.1:3100', 'drain', {}),
    /^not_found: shop has no endpoint http:.*3100; .*3001/,
  );
  t.match(await refused('chop', URL1, 'drain', {}), /^not_found: there is no service chop/);
  t.match(await refused('blog', URL1, 'drain', {}), /^not_found: blog has no endpoint/);
  t.match(
    await refused('shop', URL1, 'disabled', { deadlineMs: 1 }),
    /^invalid_request: deadline only goes with state drain/,
  );
  stage.disk.trouble = 'full';
  t.match(await refused('shop', URL1, 'drain', {}), /^store_full/);
  stage.settle();
  t.strictSame(stage.now(), []);
});

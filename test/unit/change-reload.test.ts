/** Reading the configuration again: all or nothing, with what operators have changed laid over it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSource, textSource } from '../../src/control/change/config-source.ts';
import { FlagOperations } from '../../src/control/change/flags.ts';
import { ConfigOperations } from '../../src/control/change/reload.ts';
import { VersionOperations } from '../../src/control/change/versions.ts';
import { WeightOperations } from '../../src/control/change/weights.ts';
import type { LoadedConfig } from '../../src/control/config/load.ts';
import { OperationError } from '../../src/control/problems.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { newFolder } from '../kit/store.ts';
import { CI, fileText, newStage, refusal, SHOP } from './change-stage.ts';

const TOKEN = 'a-token-of-sixteen-letters';
const BASE = {
  data: './data',
  admin: { listen: '127.0.0.1:0', tokens: [{ name: 'ops', role: 'admin', file: 'token' }] },
};

async function start(t: Test, more: object = BASE, shop: object = {}) {
  const folder = newFolder(t);
  const path = join(folder, 'sluice.yaml');
  const tokenPath = join(folder, 'token');
  const write = (...args: Parameters<typeof fileText>): void => writeFileSync(path, fileText(...args));
  writeFileSync(tokenPath, TOKEN);
  write(more, shop);
  const source = fileSource([path], {});
  const loaded = source.load();
  const stage = await newStage(t, fileText());
  // What runs is what the file says, secrets included.
  await stage.core.adopt(CI, {}, loaded.config, { before: null, after: null, events: [] });
  stage.journal.length = 0;
  stage.told.length = 0;
  const results: string[] = [];
  const settled: LoadedConfig[] = [];
  const config = new ConfigOperations({
    ...{ core: stage.core, source, loaded, events: stage.events, logger: silentLogger, wallClock: stage.wallClock },
    observe: (result) => void results.push(result),
    settled: async (read) => void settled.push(read),
  });
  const reload = () => config.reload(CI, { reason: 'edited' });
  return { ...stage, config, reload, write, path, tokenPath, results, settled };
}

/** `field: message`, with the place for those of a file. */
async function faultsOf(work: Promise<unknown> | (() => unknown)): Promise<string[]> {
  try {
    await (typeof work === 'function' ? work() : work);
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.faults.map(({ field, message, line, column }) => `${line}:${column} ${field}: ${message}`);
  }
}

t.test('a good file', async (t) => {
  const stage = await start(t);
  stage.write({ ...BASE, timeouts: { drain: '5s' } }, { split: { weights: { v1: 70, v2: 30 } } });
  t.match(await stage.reload(), { changed: true, generation: 3, workers: 2, dropped: [] });
  t.strictSame(stage.journal, ['commit config.reload', 'before 3', 'apply 3', 'after 3', 'event config.reloaded']);
  t.match(stage.workers.snapshot, {
    timeouts: { drain: 5_000 },
    services: [{ versions: [{ weight: 7_000 }, {}, {}] }, {}],
  });
  t.match(stage.told, [{ message: 'The configuration was read again: 3 values have changed', data: { changes: 3 } }]);
  t.match((await stage.audit()).at(-1), {
    ...{ action: 'config.reload', target: 'config', reason: 'edited' },
    before: [{ key: 'services.shop.weights.v1', value: 90 }, {}, { key: 'timeouts.drain', value: 30_000 }],
    after: [{ value: 70 }, { value: 30 }, { value: 5_000 }],
  });
  t.strictSame(stage.results, ['applied']);
  t.equal(stage.settled.length, 1);
  t.match(stage.config.view(), { generation: 3, rejected: null, files: [stage.path], differences: [] });
});

t.test('a text that means the same is no change', async (t) => {
  const stage = await start(t);
  writeFileSync(stage.path, `# a comment\n${fileText(BASE).replaceAll(',', ' ,\n')}`);
  t.strictSame(await stage.reload(), { changed: false, generation: 2, dropped: [] });
  t.strictSame(stage.journal, []);
  t.equal((await stage.audit()).length, 1);
  t.strictSame(stage.results, ['unchanged']);
  t.equal(stage.settled.length, 1, 'certificates are read anew all the same');
});

t.test('secrets are read anew, and shown nowhere', async (t) => {
  const stage = await start(t);
  writeFileSync(stage.tokenPath, `${TOKEN}-renewed`);
  t.match(await stage.reload(), { changed: true });
  t.equal(stage.settled[0]?.config.admin?.tokens[0]?.secret.reveal(), `${TOKEN}-renewed`);
  const shown = JSON.stringify([stage.config.view(), await stage.audit(), stage.told]);
  t.notOk(shown.includes(TOKEN));
  t.ok(stage.config.watched.includes(stage.tokenPath), 'a change of it is noticed');
});

t.test('a faulty file changes nothing and says where', async (t) => {
  const stage = await start(t);
  const before = stage.core.state;
  writeFileSync(stage.path, fileText({ ...BASE, wokers: 2 }, { lanes: { stable: 'v8' } }));
  const faults = await faultsOf(stage.reload());
  t.match(faults.sort(), [/^1:\d+ services\.shop\.lanes\.stable: no version v8/, /^1:\d+ wokers: .*workers/]);
  t.match(await refusal(stage.reload()), /^config_invalid: the configuration has 2 faults; what ran before goes on/);
  t.equal(stage.core.state, before);
  t.notOk(stage.journal.some((word) => /commit|apply/.test(word)));
  t.strictSame(stage.results, ['rejected', 'rejected']);
  t.match(stage.told, [
    { type: 'config.rejected', level: 'warning', data: { code: 'config_invalid', problems: [{ line: 1 }, {}] } },
    {},
  ]);
  t.match(stage.config.view().rejected, { at: '2026-01-01T00:00:00.000Z', problems: [{ file: stage.path }, {}] });
  t.strictSame(stage.settled, []);

  stage.write({ ...BASE, timeouts: { drain: '5s' } });
  t.match(await stage.reload(), { changed: true });
  t.equal(stage.config.view().rejected, null);
  writeFileSync(stage.path, '{');
  t.match(await refusal(stage.reload()), /^config_invalid/);
  stage.write({ ...BASE, timeouts: { drain: '5s' } });
  t.match(await stage.reload(), { changed: false });
  t.equal(stage.config.view().rejected, null, 'put back is mended too');
});

t.test('what a faulty file depends on is watched until it is mended', async (t) => {
  const stage = await start(t);
  const missing = join(newFolder(t), 'token');
  const tokens = [{ name: 'ops', role: 'admin', file: missing }];
  stage.write({ ...BASE, admin: { listen: '127.0.0.1:0', tokens } });
  t.match(await faultsOf(stage.reload()), [/admin\.tokens\[0\]\.file: /]);
  t.ok(stage.config.watched.includes(missing));
  writeFileSync(missing, `${TOKEN}-2`);
  t.match(await stage.reload(), { changed: true });
  t.strictSame([...stage.config.watched].sort(), [missing, stage.path].sort(), 'and what it no longer names is not');
});

t.test('what only a restart can change is refused, all of it', async (t) => {
  const stage = await start(t);
  const changes: readonly (readonly [object, string])[] = [
    [{ listen: '127.0.0.1:1' }, 'listen'],
    [{ workers: 3 }, 'workers'],
    [{ data: './elsewhere' }, 'data'],
    [{ admin: { ...BASE.admin, listen: '127.0.0.1:2' } }, 'admin.listen'],
  ];
  for (const [change, field] of changes) {
    stage.write({ ...BASE, ...change, timeouts: { drain: '5s' } });
    const message = `${field} cannot change while Sluice runs; put it back, or restart`;
    t.match(await faultsOf(stage.reload()), [`undefined:undefined ${field}: ${message}`], field);
  }
  stage.write({ ...BASE, listen: ':1', workers: 1, admin: undefined });
  t.match(await faultsOf(stage.reload()), [/ listen: /, / workers: /, / admin\.listen: /]);
  t.equal(stage.core.state.generation, 2, 'nothing is half done');
});

t.test('runtime changes stay in force; those that no longer fit are given up and named', async (t) => {
  const stage = await start(t);
  await new WeightOperations(stage.core).set(CI, 'shop', { v1: 50, v2: 50 }, {});
  await new FlagOperations(stage.core).set(CI, 'beta', 20, {});
  stage.write(BASE, { split: { weights: { v1: 99, v2: 1 } } });
  t.match(await stage.reload(), { changed: true, dropped: [] });
  t.match(stage.config.view().differences, [
    { key: 'flags.beta.environments.default', file: null, effective: 20 },
    { key: 'services.shop.weights.v1', file: 99, override: 50, effective: 50 },
    { key: 'services.shop.weights.v2', file: 1, effective: 50 },
  ]);
  const two = { v1: { endpoints: ['http://127.0.0.1:3001'] }, v9: { endpoints: ['http://127.0.0.1:3002'] } };
  stage.write(
    { ...BASE, flags: { banner: true } },
    { versions: two, lanes: { stable: 'v1', canary: 'v9' }, split: { weights: { v1: 100 } } },
  );
  t.match(await stage.reload(), {
    changed: true,
    dropped: [
      { key: 'override/services/shop/weights', reason: 'version v2 has a weight of 50 but is not there' },
      { key: 'override/flags/beta', reason: 'there is no flag beta any more' },
    ],
  });
  t.strictSame(await stage.kept(), {});
  t.match(
    stage.told.filter(({ type }) => type === 'override.dropped').map(({ message }) => message),
    [/^The runtime change override\/services\/shop\/weights was given up: version v2/, /beta/],
  );
});

t.test('a version that was taken out, then left the file, may come again', async (t) => {
  const stage = await start(t);
  await new VersionOperations(stage.core).remove(CI, 'shop', 'v3', {});
  const { v1, v2 } = SHOP.versions;
  stage.write(BASE, { versions: { v1, v2 } });
  t.match((await stage.reload()).dropped, [{ key: 'override/services/shop/versions/v3' }]);
  stage.write(BASE);
  t.match(await stage.reload(), { changed: true, dropped: [] });
  t.match(stage.core.state.config.services[0]!.versions, [{}, {}, { name: 'v3' }]);
});

t.test('a flag that loses its key loses the share that needs one, and no other', async (t) => {
  const stage = await start(t);
  const flags = new FlagOperations(stage.core);
  await flags.set(CI, 'beta', 20, {});
  stage.write({ ...BASE, flags: { beta: 'off', banner: true } });
  t.match((await stage.reload()).dropped, [{ key: 'override/flags/beta', reason: /beta has no key any more/ }]);
  t.match(flags.list()[0], { name: 'beta', value: 0, override: null });
  await flags.set(CI, 'beta', 100, {});
  stage.write({ ...BASE, flags: { beta: 'off', banner: false } });
  t.match(await stage.reload(), { dropped: [] });
  t.match(flags.list()[0], { value: 100 });
});

t.test('a disk that is full', async (t) => {
  const stage = await start(t);
  stage.write({ ...BASE, timeouts: { drain: '5s' } });
  stage.disk.trouble = 'full';
  t.match(await refusal(stage.reload()), /^store_full/);
  t.strictSame(stage.results, ['rejected']);
  t.equal(stage.core.state.generation, 2);
  stage.disk.trouble = null;
  t.match(await stage.reload(), { changed: true }, 'the same file is taken later');
});

t.test('workers that cannot run it, or do not say', async (t) => {
  const stage = await start(t);
  stage.write({ ...BASE, timeouts: { drain: '5s' } });
  stage.workers.refuses = 'no';
  t.match(await refusal(stage.reload()), /^conflict: the workers cannot run it: no/);
  t.strictSame(stage.results, ['rejected']);
  stage.workers.refuses = null;
  stage.workers.missing = ['worker 1'];
  t.match(await refusal(stage.reload()), /^not_acknowledged/);
  t.equal(stage.core.state.generation, 3, 'it runs');
  t.strictSame(stage.results, ['rejected', 'applied']);
  t.equal(stage.settled.length, 1, 'with its tokens and webhooks');
  t.equal(stage.config.view().rejected, null);
  t.strictSame(
    stage.told.map(({ type }) => type),
    ['config.reloaded', 'override.dropped', 'config.rejected', 'config.reloaded'],
  );
});

t.test('checking', async (t) => {
  const stage = await start(t);
  t.strictSame(await stage.config.validate(null), { services: 2, versions: 4, endpoints: 5, routes: 2 });
  stage.write({ ...BASE, nonsense: 1 });
  t.match(await faultsOf(() => stage.config.validate(null)), [/ nonsense: /]);
  t.match(await stage.config.validate(fileText(BASE)), { services: 2 }, 'beside the file, so its secrets are found');
  t.match(await faultsOf(() => stage.config.validate('listen: :1\n')), [/services is missing/]);
  const other = fileText(BASE).replace('"file":"token"', '"file":"/etc/passwd"');
  t.match(await faultsOf(() => stage.config.validate(other)), [
    /\/etc\/passwd is not named by the running configuration/,
  ]);
  t.strictSame(stage.results, []);
  t.strictSame(stage.told, []);
});

t.test('a text of its own, as the demo has', async (t) => {
  const source = textSource(fileText(BASE).replace('"file":"token"', '"env":"T"'), 'demo');
  t.throws(() => source.load(), { message: /^demo:1:\d+: admin\.tokens\[0\]\.env: / }, 'no environment is read');
  const plain = textSource(fileText({ data: './data' }), 'demo');
  t.equal(plain.load().config.data, null, 'nothing is kept');
  t.strictSame(plain.load().files, []);
});

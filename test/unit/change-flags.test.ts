/** Flags as operators set them. */
import t from 'tap';
import { FlagOperations } from '../../src/control/change/flags.ts';
import { CI, fileText, newStage, refusal } from './change-stage.ts';

const FLAGS = {
  environment: 'production',
  flags: {
    beta: {
      default: 'off',
      environments: { production: '5%', staging: 'on' },
      key: { header: 'X-User' },
      header: 'X-Beta',
    },
    banner: true,
    ip: { key: { ip: true } },
  },
};

t.test('set, seen, kept, reset', async (t) => {
  const stage = await newStage(t, fileText(FLAGS));
  const flags = new FlagOperations(stage.core);
  t.match(flags.list(), [
    {
      name: 'beta',
      value: 5,
      default: 0,
      environments: { staging: 100 },
      override: null,
      key: 'header x-user',
      header: 'X-Beta',
    },
    { name: 'banner', value: 100, key: null, header: null },
    { name: 'ip', value: 0, key: 'address' },
  ]);
  t.match(await flags.set(CI, 'beta', 12.5, { reason: 'first users' }), {
    generation: 2,
    workers: 2,
    flag: { value: 12.5, override: 12.5 },
  });
  t.match(stage.workers.snapshot.flags, [
    { name: 'beta', share: 1_250 },
    { name: 'banner', share: 10_000 },
    { share: 0 },
  ]);
  t.match((await flags.set(CI, 'banner', 0, {})).flag, { value: 0, override: 0 });
  t.strictSame(await stage.kept(), { 'flags/banner': 0, 'flags/beta': 12.5 });

  const later = new FlagOperations((await newStage(t, fileText(FLAGS), stage)).core);
  t.strictSame(
    later.list().map(({ value }) => value),
    [12.5, 0, 0],
  );
  t.match((await flags.reset(CI, 'beta', {})).flag, { value: 5, override: null });
  t.strictSame(await stage.kept(), { 'flags/banner': 0 });
  t.match(await stage.audit(), [
    { action: 'flag.set', target: 'flags/beta', before: 5, after: 12.5, reason: 'first users' },
    { target: 'flags/banner', before: 100, after: 0 },
    { action: 'flag.reset', before: 12.5, after: 5 },
  ]);
  t.match(stage.told, [
    { type: 'flag.changed', message: 'Flag beta is on for 12.5 %', data: { flag: 'beta', reason: 'first users' } },
    { message: 'Flag banner is off' },
  ]);
});

t.test('what may not be set', async (t) => {
  const stage = await newStage(t, fileText(FLAGS));
  const flags = new FlagOperations(stage.core);
  const set = (name: string, value: number) => refusal(flags.set(CI, name, value, {}));
  for (const value of [-0.01, 100.01, Number.NaN])
    t.match(await set('beta', value), /^invalid_request: the value must be/);
  t.match(await set('beta', 0.001), /^invalid_request: the value has steps of 0\.01/);
  t.match(await set('banner', 50), /^invalid_request: banner has no key to tell users apart by/);
  t.match(await set('bet', 50), /^not_found: there is no flag bet; .*beta/);
  t.match(await refusal(flags.reset(CI, 'bet', {})), /^not_found/);
  t.equal(stage.core.state.generation, 1);
  const none = new FlagOperations((await newStage(t, fileText({ flags: undefined }))).core);
  t.match(await refusal(none.set(CI, 'a', 1, {})), /^not_found: there is no flag a; the configuration has no flags/);
});

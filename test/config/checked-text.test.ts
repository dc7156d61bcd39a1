/** What a text that is only checked may read out of the environment and the file system, and how long it may take. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileSource } from '../../src/control/change/config-source.ts';
import { TextChecker } from '../../src/control/change/text-checker.ts';
import { ConfigError } from '../../src/control/config/faults.ts';
import { OperationError } from '../../src/control/problems.ts';

const ENV = { ADMIN_TOKEN: 'not-for-everybody', PORT: '8080' };
const SERVICES = 'services: { shop: { versions: { v1: { endpoints: [ "http://127.0.0.1:3001" ] } } } }\n';
const CONTENTS = { services: 1, versions: 1, endpoints: 1, routes: 0 };

async function faultsOf(check: Promise<unknown>): Promise<readonly string[]> {
  try {
    await check;
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message);
    throw error;
  }
}

t.test('messages about a text that is only checked show no variable but those of the running files', async (t) => {
  const file = join(t.testdir(), 'sluice.yaml');
  writeFileSync(file, `listen: ":\${PORT}"\n${SERVICES}`);
  const source = fileSource([file], ENV);
  t.strictSame(await source.check(`listen: ":\${PORT}"\n${SERVICES}`, []), CONTENTS, 'a variable that the files name');
  const text = `listen: "\${ADMIN_TOKEN}"\nworkers: "x\${ADMIN_TOKEN:-y}"\n${SERVICES}`;
  const faults = await faultsOf(source.check(text, []));
  t.equal(faults.length, 2);
  t.match(faults, [/may name the variables of the running files/, /not "xy"/]);
  t.notMatch(faults.join(), ENV.ADMIN_TOKEN);
});

t.test(
  'a secret of a text that is only checked comes from the variables of secrets, which nothing else may read',
  async (t) => {
    const admin = (source: string): string => `admin: { tokens: [ { name: ci, role: viewer, ${source} } ] }\n`;
    for (const source of ['env: ADMIN_TOKEN', '"env": "ADMIN_TOKEN"', "'env':\n   'ADMIN_TOKEN'"]) {
      const file = join(t.testdir({ 'sluice.yaml': `listen: :1\n${SERVICES}${admin(source)}` }), 'sluice.yaml');
      const checked = fileSource([file], {
        ADMIN_TOKEN: 'a-token-that-is-long-enough',
        OTHER: 'a-token-that-is-long-enough',
      });
      t.strictSame(await checked.check(`listen: :1\n${SERVICES}${admin('env: ADMIN_TOKEN')}`, []), CONTENTS, source);
      const said = await faultsOf(checked.check(`listen: :1\n${SERVICES}${admin('env: MISSING')}`, []));
      t.match(said, [/is not set/]);
      t.strictSame(await faultsOf(checked.check(`listen: :1\n${SERVICES}${admin('env: OTHER')}`, [])), said);
      t.match(await faultsOf(checked.check(`listen: :1\nworkers: \${ADMIN_TOKEN}\n${SERVICES}`, [])), [
        /may name the variables/,
      ]);
    }
  },
);

t.test('a text that is only checked does not tell which files there are', async (t) => {
  const token = 'a-token-that-is-long-enough';
  const folder = t.testdir({ 'sluice.yaml': '', named: token, other: token });
  const source = fileSource([join(folder, 'sluice.yaml')], {});
  const tokens = (file: string): string => `tokens: [ { name: ci, role: viewer, file: ${file} } ]`;
  const text = (admin: string): string => `listen: :1\nadmin: { ${admin} }\n${SERVICES}`;
  const named = [join(folder, 'named')];
  t.strictSame(await source.check(text(tokens('named')), named), CONTENTS);
  for (const file of ['other', 'missing', '/etc/passwd', '/proc/self/environ', folder]) {
    const said = [/is not named by the running configuration; check it on the server with sluice check$/];
    t.match(await faultsOf(source.check(text(tokens(file)), named)), said, file);
  }
  t.match(await faultsOf(source.check(text('tls: { cert: other, key: named }'), named)), [/is not named by/], 'tls');
  for (const path of [folder, '/nowhere/at/all.log']) {
    t.strictSame(await source.check(`listen: :1\naccessLog: ${path}\n${SERVICES}`, []), CONTENTS, `log ${path}`);
  }
});

t.test('a text that takes too long is a fault, and the next one has its turn', async (t) => {
  // As many entries as take longer than a millisecond anywhere.
  const long = `listen: :1\n${SERVICES}flags:\n${Array.from({ length: 2_000 }, (_, i) => `  f${i}: true\n`).join('')}`;
  const checker = new TextChecker(1);
  const said = [/^takes longer than 0\.001 s to check; check it on the server with sluice check$/];
  const request = (text: string) => ({ text, file: 'request', env: {} });
  t.match(await faultsOf(checker.check(request(long))), said);
  t.match(await faultsOf(checker.check(request(long))), said, 'again');
});

t.test('few texts wait', async (t) => {
  const checker = new TextChecker(undefined, 2);
  const checks = Array.from({ length: 3 }, () =>
    checker.check({ text: `listen: :1\n${SERVICES}`, file: 'x', env: {} }),
  );
  const ended = await Promise.allSettled(checks);
  t.strictSame(
    ended.slice(0, 2).map((each) => each.status === 'fulfilled' && each.value),
    Array(2).fill(CONTENTS),
  );
  const last = ended[2]!;
  t.ok(last.status === 'rejected' && last.reason instanceof OperationError && last.reason.code === 'busy');
  t.strictSame(await checker.check({ text: `listen: :1\n${SERVICES}`, file: 'x', env: {} }), CONTENTS, 'free again');
});

t.test('a text that has waited for too long is refused in place of being checked', async (t) => {
  // To start a thread takes longer anywhere.
  const checker = new TextChecker(undefined, 10, 50);
  const request = { text: `listen: :1\n${SERVICES}`, file: 'x', env: {} };
  const ended = await Promise.allSettled([request, request, request].map((each) => checker.check(each)));
  t.strictSame(ended[0], { status: 'fulfilled', value: CONTENTS });
  for (const each of ended.slice(1)) {
    t.ok(each.status === 'rejected' && each.reason instanceof OperationError && each.reason.code === 'busy');
  }
  t.strictSame(await checker.check(request), CONTENTS, 'nobody is in the way any more');
});

/** `sluice check`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sluice } from './sluice-process.ts';

const GOOD = `listen: :0
services:
  shop:
    versions:
      v1: { endpoints: [ "http://a:1", "http://b:1" ] }
      v2: { endpoints: [ "http://c:1" ] }
    lanes: { stable: v1, canary: v2 }
routes: [ { service: shop } ]
`;
const BAD = GOOD.replace('canary: v2', 'canary: v3').replace('listen: :0', 'lisen: :0');

const directory = t.testdir({ 'good.yaml': GOOD, 'bad.yaml': BAD });
const good = join(directory, 'good.yaml');
const bad = join(directory, 'bad.yaml');

t.test('a good file', async (t) => {
  const line = `${good}: OK (1 service, 2 versions, 3 endpoints, 1 route)\n`;
  t.strictSame(await sluice(['check', '-c', good]), { code: 0, out: line, err: '' });
  const { code, out } = await sluice(['check', '-c', good, '--json']);
  t.equal(code, 0);
  t.strictSame(JSON.parse(out), { ok: true, file: good, services: 1, versions: 2, endpoints: 3, routes: 1 });
});

t.test('a bad file', async (t) => {
  const err = [
    `${bad}:1:1: listen is missing; add it`,
    `${bad}:1:1: lisen: unknown key; did you mean listen?`,
    `${bad}:7:34: services.shop.lanes.canary: no version v3 in this service; did you mean v1?`,
    '',
  ].join('\n');
  t.strictSame(await sluice(['check', '--config', bad]), { code: 1, out: '', err });
  const json = await sluice(['check', '-c', bad, '--json']);
  t.match(json, { code: 1, err: '' });
  t.match(JSON.parse(json.out), {
    ok: false,
    file: bad,
    problems: [
      { line: 1, column: 1, path: '' },
      { line: 1, column: 1, path: 'lisen' },
      { file: bad, line: 7, column: 34, path: 'services.shop.lanes.canary', message: /^no version v3/ },
    ],
  });
});

t.test('no file', async (t) => {
  const missing = join(directory, 'missing.yaml');
  const err = `${missing}: no such file; name the configuration with -c FILE\n`;
  t.strictSame(await sluice(['check', '-c', missing]), { code: 1, out: '', err });
  t.strictSame(await sluice(['check', '-c', directory]), {
    code: 1,
    out: '',
    err: `${directory}: is a directory; name a file\n`,
  });
});

t.test('the environment is that of the process', async (t) => {
  const file = join(directory, 'env.yaml');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference to the environment
  writeFileSync(file, GOOD.replace(':0', '${LISTEN}'));
  t.match(await sluice(['check', '-c', file], { LISTEN: ':9' }), { code: 0 });
  t.match(await sluice(['check', '-c', file]), {
    code: 1,
    err: /:1:9: listen: environment variable LISTEN is not set/,
  });
});

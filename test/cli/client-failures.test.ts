/** What a command says, and how it ends, where the server refuses, is not there or is something else. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { called, FakeAdmin, problem, type Reply, start, WEIGHTS } from './client-admin-server.ts';

const admin = await new FakeAdmin().listen();
t.teardown(() => admin.close());
const WEIGHTS_CALL = 'GET /api/v1/services/demo/weights';
const ARGV = ['weights', 'demo'];
const TOKEN = 'a-very-secret-token';

async function refused(reply: Reply, code: number, lines: readonly string[]): Promise<void> {
  admin.on(WEIGHTS_CALL, reply);
  t.strictSame(await called(admin, ARGV), { code, out: '', err: `${lines.join('\n')}\n` }, lines.join());
}

t.test('exit codes, and problems as lines', async () => {
  await refused(problem(404, 'no service demo; did you mean demo2?'), 1, [
    'sluice weights: no service demo; did you mean demo2?',
  ]);
  await refused(problem(401, 'A token is needed.'), 4, [
    'sluice weights: A token is needed.',
    'Give a token with --token-file FILE or in SLUICE_TOKEN.',
  ]);
  await refused(problem(403, 'Token ci has the role viewer.'), 4, ['sluice weights: Token ci has the role viewer.']);
  await refused(problem(409, 'v3 has no endpoint.'), 5, ['sluice weights: v3 has no endpoint.']);
  await refused(problem(412, 'They are others now.', { present: WEIGHTS }), 5, [
    'sluice weights: They are others now.',
    '  now: v1=90 v2=10, etag k3v9x2',
  ]);
  await refused({ ...problem(503, 'The disk is full.'), headers: { 'retry-after': '5' } }, 1, [
    'sluice weights: The disk is full.',
    'Try again in 5 s.',
  ]);
  // A fault that says what the detail says is not said twice.
  const same = 'the weights sum to 90, must be 100';
  await refused(problem(400, same, { errors: [{ field: '', message: same }] }), 1, [`sluice weights: ${same}`]);
  const place = { file: 'a.yaml', line: 3, column: 7 };
  const errors = [
    { field: '/canary', message: 'must be at most 100' },
    { field: 'services.demo', message: 'unknown key', ...place },
    { field: '', message: 'no such file', file: 'b.yaml', line: 0, column: 0 },
  ];
  await refused(problem(422, 'There are faults.', { errors }), 1, [
    'sluice weights: There are faults.',
    '  /canary: must be at most 100',
    'a.yaml:3:7: services.demo: unknown key',
    'b.yaml: no such file',
  ]);
  await refused({ status: 500, body: {} }, 1, ['sluice weights: the server answered with status 500']);
  await refused(problem(400, 'red \x1b[31m alert\n'), 1, ['sluice weights: red ·[31m alert ']);
});

t.test('--json has the problem on standard output', async (t) => {
  const reply = problem(409, 'v3 has no endpoint.');
  admin.on(WEIGHTS_CALL, reply);
  const { code, out, err } = await called(admin, [...ARGV, '--json']);
  t.strictSame(
    { code, err, body: JSON.parse(out) },
    { code: 5, err: 'sluice weights: v3 has no endpoint.\n', body: reply.body },
  );
});

t.test('something else answers', async (t) => {
  admin.on(WEIGHTS_CALL, { status: 404, type: 'text/html', body: '<h1>Not here</h1>' });
  const { code, err } = await called(admin, ARGV);
  t.equal(code, 3);
  t.match(err, /what answers at http:\S+ is not the admin API of Sluice \(status 404, no JSON\)\n.*--admin URL/);
  admin.on(WEIGHTS_CALL, { type: 'text/plain', body: 'hello from v1' });
  t.match(await called(admin, ARGV), { code: 3, out: '' });
  admin.on(WEIGHTS_CALL, { body: '{"weights":' });
  t.match(await called(admin, ARGV), { code: 3, out: '' }, 'half of an answer');
  for (const body of ['{}', 'null', '[]', '{"status":"ok"}', '{"services":[{}],"rows":1,"flags":{}}', '7']) {
    for (const argv of [
      ['status'],
      ['status', 'demo'],
      ARGV,
      ['flags'],
      ['audit'],
      ['audit', 'verify'],
      ['events'],
      ['events', '--follow'],
      ['config'],
      ['lanes', 'demo'],
      ['rollback', 'demo', '--reason', 'x'],
      ['rollout', 'list'],
      ['rollout', 'get', 'demo'],
      ['rollout', 'start', 'demo', 'v2', '--wait'],
      ['rollout', 'report'],
      ['strategies'],
      ['notifications'],
    ]) {
      const stranger = await new FakeAdmin(() => ({ body, stranger: true })).listen();
      const { code, out, err } = await called(stranger, argv);
      await stranger.close();
      t.strictSame([code, out], [3, ''], `${argv.join(' ')} ${body}`);
      t.match(err, /is not the admin API of Sluice \(status 200, (JSON of something else|no events of Sluice)\)\n/);
      t.equal(err.split('\n').length, 3, 'a line, and one on what to do');
    }
  }
  admin.on(WEIGHTS_CALL, { status: 302, headers: { location: 'http://192.0.2.1/' }, body: {} });
  t.match(await called(admin, ARGV), { code: 1, err: 'sluice weights: the server answered with status 302\n' });
});

t.test('nobody answers', async (t) => {
  const gone = await new FakeAdmin().listen();
  await gone.close();
  t.strictSame(await called(gone, ['status']), {
    code: 3,
    out: '',
    err: `sluice status: no server answers at ${gone.url} (connection refused)
Start one: sluice run -c sluice.yaml, with "admin: {}" in the file; npm start runs the demo.
Another address is named with --admin URL or in SLUICE_ADMIN.
`,
  });
  t.match(await called(gone, ['weights', 'demo', '--admin', 'nowhere.invalid:1']), {
    code: 3,
    err: /at http:\/\/nowhere\.invalid:1 \(/,
  });
  admin.on(WEIGHTS_CALL, () => undefined);
  t.match(await called(admin, [...ARGV, '--timeout', '100ms']), { code: 3, err: /\(timed out\)/ });
  admin.on(WEIGHTS_CALL, (_asked, response) => void response.destroy());
  t.match(await called(admin, ARGV), { code: 3, err: /\(connection closed\)\n(.*\n)*If its admin API has TLS/ });
  admin.on(WEIGHTS_CALL, (_asked, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
    response.write('{', () => response.destroy());
    return undefined;
  });
  t.match(await called(admin, ARGV), { code: 3, err: /no server answers/ });
});

t.test('TLS where there is none', async (t) => {
  const plainText = createServer();
  await new Promise<void>((resolve) => plainText.listen(0, '127.0.0.1', resolve));
  const { port } = plainText.address() as { port: number };
  const { code, err } = await called(admin, [...ARGV, '--admin', `https://127.0.0.1:${port}`]);
  t.equal(code, 3);
  t.match(err, /no server answers at https:\S+ \(it does not speak TLS\)/);
  plainText.close();
});

t.test('the token', async (t) => {
  const directory = t.testdir({ token: `${TOKEN}\n`, odd: `${TOKEN} \u00e9 x`, empty: ' \n' });
  const file = join(directory, 'token');
  admin.on(WEIGHTS_CALL, { body: WEIGHTS });
  await called(admin, [...ARGV, '--token-file', file]);
  t.equal(admin.last?.headers.authorization, `Bearer ${TOKEN}`);
  await called(admin, ARGV, { env: { SLUICE_ADMIN: admin.url, SLUICE_TOKEN: TOKEN } });
  t.equal(admin.last?.headers.authorization, `Bearer ${TOKEN}`);
  await called(admin, ARGV);
  t.notOk(admin.last?.headers.authorization);

  admin.on(WEIGHTS_CALL, problem(401, 'This token is not known.'));
  const outcomes = [
    await called(admin, [...ARGV, '--token-file', file]),
    await called(admin, [...ARGV, '--token-file', join(directory, 'odd')]),
    await called(admin, [...ARGV, '--token-file', join(directory, 'empty')]),
    await called(admin, [...ARGV, '--token-file', join(directory, 'missing')]),
  ];
  t.strictSame(
    outcomes.map(({ code }) => code),
    [4, 2, 2, 2],
  );
  for (const { out, err } of outcomes) t.notOk((out + err).includes(TOKEN), err);
  t.match(outcomes[3]?.err, /--token-file: cannot read .*missing: no such file/);
});

t.test('where the server is', async (t) => {
  admin.on(WEIGHTS_CALL, { body: WEIGHTS });
  const host = admin.url.slice('http://'.length);
  for (const address of [admin.url, `${admin.url}/`, host]) {
    t.match(await start([...ARGV, '--admin', address]).ended, { code: 0 }, address);
  }
  admin.on('GET /ops/api/v1/services/demo/weights', { body: WEIGHTS });
  t.match(await start([...ARGV, '--admin', `${admin.url}/ops/`]).ended, { code: 0 }, 'behind a prefix');
  for (const address of ['http://user:pw@127.0.0.1', 'http://', 'http://127.0.0.1/?x', '']) {
    t.match(await start([...ARGV, '--admin', address]).ended, { code: 2, err: /must be such as/ }, address);
  }
  t.match(await called(admin, [...ARGV, '--timeout', '5']), { code: 2, err: /--timeout must be a time such as/ });
});

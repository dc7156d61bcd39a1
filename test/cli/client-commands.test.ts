/** Each command of the client: what it asks of the admin API, and what it prints of the answer. */
import t from 'tap';
import {
  APPLIED,
  type Called,
  CONFIG,
  called,
  endpointView,
  FakeAdmin,
  FLAG,
  SERVICE,
  versionView,
  WEIGHTS,
} from './client-admin-server.ts';

const admin = await new FakeAdmin().listen();
t.teardown(() => admin.close());

const CHANGED = { ...WEIGHTS, weights: { v1: 80, v2: 20 }, ...APPLIED };
const APPLIED_LINE = 'Generation 8, taken up by 2 workers in 0.41 ms.\n';
const DEMO = '/api/v1/services/demo';

/** Calls a command, which must succeed. @returns what it printed. */
async function printed(...argv: string[]): Promise<string> {
  const { code, out, err } = await called(admin, argv);
  t.strictSame({ code, err }, { code: 0, err: '' }, argv.join(' '));
  return out;
}

const misused = async (argv: readonly string[], message: string): Promise<void> => {
  const before = admin.asked.length;
  const expected: Called = { code: 2, out: '', err: `sluice ${argv[0]}: ${message}\nTry: sluice ${argv[0]} --help\n` };
  t.strictSame(await called(admin, argv), expected, argv.join(' '));
  t.equal(admin.asked.length, before, 'nothing is asked of the server');
};

t.test('weights', async (t) => {
  admin.on(`GET ${DEMO}/weights`, { body: WEIGHTS });
  t.equal(
    await printed('weights', 'demo'),
    'VERSION  LANE     WEIGHT\nv1       stable  90.00 %\nv2       canary  10.00 %\netag k3v9x2\n',
  );
  t.strictSame(JSON.parse(await printed('weights', 'demo', '--json')), WEIGHTS);

  admin.on(`PUT ${DEMO}/weights`, { body: CHANGED });
  const table =
    'VERSION  LANE     WEIGHT     FILE\nv1       stable  80.00 %  90.00 %\nv2       canary  20.00 %  10.00 %\n';
  t.equal(await printed('weights', 'demo', 'stable=80', 'v2=20%', '--reason', 'so far so good'), table + APPLIED_LINE);
  t.match(admin.last, { body: { stable: 80, v2: 20 }, query: { reason: 'so far so good' } });
  t.notOk(admin.last?.headers['if-match']);
  for (const tag of ['k3v9x2', '"k3v9x2"']) {
    await printed('weights', 'demo', 'v1=99.5', 'v2=0.5', '--if-match', tag);
    t.match(admin.last, { body: { v1: 99.5, v2: 0.5 }, headers: { 'if-match': '"k3v9x2"' }, query: {} });
  }
  admin.on(`DELETE ${DEMO}/weights`, { body: CHANGED });
  t.match(JSON.parse(await printed('weights', 'demo', '--reset', '--json')), APPLIED);
  t.match(admin.last, { call: `DELETE ${DEMO}/weights`, query: {} });

  await misused(['weights'], 'SERVICE is missing');
  await misused(['weights', 'demo', 'stable'], '"stable" is not of the form LANE=PERCENT or VERSION=PERCENT');
  await misused(['weights', 'demo', 'v1=1', 'v1=2'], 'v1 is given twice');
  await misused(['weights', 'demo', 'v1=x'], 'the weight of v1 must be a percentage from 0 to 100, not "x"');
  await misused(['weights', 'demo', 'v1=101'], 'the weight of v1 must be a percentage from 0 to 100, not "101"');
  await misused(['weights', 'demo', 'v1=1', '--reset'], '--reset takes no weights');
});

t.test('rollback', async (t) => {
  admin.on(`POST ${DEMO}/rollback`, { body: { mode: 'immediate', ...CHANGED, weights: { v1: 100, v2: 0 } } });
  t.match(await printed('rollback', 'demo', '--reason', 'it fails'), /^VERSION .*\nv1 .*100.00 %.*\nv2 /);
  t.strictSame(admin.last?.body, { reason: 'it fails', mode: 'immediate' });
  const note = 'Nothing was changed: v1 is stable and has all traffic already.';
  const idle = { mode: 'immediate', ...CHANGED, weights: { v1: 100, v2: 0 }, note };
  admin.on(`POST ${DEMO}/rollback`, { body: idle });
  const said = await printed('rollback', 'demo', '--reason', 'it fails');
  t.ok(said.endsWith(`\n${note}\n`), 'what is unusual is said');
  t.notMatch(said, /taken up by/, 'in place of what nobody has taken up');
  admin.on(`POST ${DEMO}/rollback`, { body: { mode: 'gradual', ...CHANGED } });
  const gradual = ['rollback', 'demo', '--reason', 'slow', '--gradual', '--by', '10', '--every', '30s'];
  t.match(await printed(...gradual), /^The gradual rollback has begun; /);
  t.strictSame(admin.last?.body, { reason: 'slow', mode: 'gradual', by: 10, every: '30s' });
  await misused(['rollback', 'demo'], '--reason TEXT is missing: say why, for whoever reads the audit log');
  await misused(['rollback', '--reason', 'x'], 'SERVICE is missing');
  await misused(['rollback', 'demo', '--reason', 'x', '--by', '5'], '--by and --every need --gradual');
  await misused(
    ['rollback', 'demo', '--reason', 'x', '--gradual', '--every', '30'],
    '--every must be a time such as 30s or 1m, not "30"',
  );
});

t.test('drain', async (t) => {
  const path = `PUT ${DEMO}/endpoints/state`;
  admin.on(path, { body: { endpoints: [endpointView(3001, { state: 'draining', available: false })] } });
  t.equal(
    await printed('drain', 'demo', '127.0.0.1:3001', '--deadline', '30s', '--reason', 'disk'),
    'ENDPOINT               STATE     WEIGHT  REQ/S  ERRORS     P50     P95     P99  IN FLIGHT\n' +
      'http://127.0.0.1:3001  draining       1   90.0  0.00 %  1.2 ms  3.4 ms  512 ms          3\n',
  );
  const url = 'http://127.0.0.1:3001';
  t.match(admin.last, { call: path, query: { reason: 'disk' } });
  t.strictSame(admin.last?.body, { url, state: 'drain', deadline: '30s' });
  await printed('drain', 'demo', url, '--disable');
  t.strictSame(admin.last?.body, { url, state: 'disabled' });
  await printed('drain', 'demo', url, '--undo');
  t.strictSame(admin.last?.body, { url, state: 'enabled' });

  admin.on('POST /api/v1/drain', { status: 202, body: { state: 'draining' } });
  t.match(await printed('drain', '--server', '--reason', 'new machine'), /^Sluice has stopped accepting/);
  t.match(admin.last, { query: { reason: 'new machine' }, body: '' });
  await misused(['drain', 'demo'], 'ENDPOINT is missing');
  await misused(['drain'], 'SERVICE is missing');
  await misused(['drain', 'demo', '--server'], 'unexpected argument "demo"');
  await misused(['drain', 'demo', 'x', '--undo', '--disable'], '--undo, --disable and --server exclude each other');
  await misused(['drain', 'demo', 'x', '--undo', '--deadline', '1s'], '--deadline is for draining an endpoint');
});

t.test('lanes', async (t) => {
  admin.on(`GET ${DEMO}`, { body: SERVICE });
  t.equal(await printed('lanes', 'demo'), 'LANE       VERSION\nstable     v1\ncanary     v2\ncandidate  -\n');
  admin.on(`PUT ${DEMO}/lanes`, { body: { lanes: { stable: 'v1', canary: 'v3' }, ...APPLIED } });
  t.match(await printed('lanes', 'demo', 'canary=v3', 'candidate=none', '--reason', 'r'), /canary {5}v3\n(.*\n)Gen/);
  t.strictSame(admin.last?.body, { canary: 'v3', candidate: null });
  t.strictSame(admin.last?.query, { reason: 'r' });
  await misused(['lanes', 'demo', 'v1=v2'], 'v1 is no lane; there are: stable, canary, candidate');
});

t.test('versions', async (t) => {
  admin.on(`GET ${DEMO}`, { body: SERVICE });
  t.match(await printed('versions', 'demo'), /^v1 {2}stable, 90.00 %\nENDPOINT .*3001.*\n\nv2 {2}canary, 10.00 %\n/s);
  t.strictSame(JSON.parse(await printed('versions', 'demo', '--json')), SERVICE.versions);
  const version = versionView('v3', 0, { source: 'override', endpoints: [endpointView(3005)] });
  admin.on(`PUT ${DEMO}/versions/v3`, { status: 201, body: { version, created: true, ...APPLIED } });
  const out = await printed('versions', 'set', 'demo', 'v3', 'http://127.0.0.1:3005', '--reason', 'new');
  t.match(out, /^v3 {2}no lane, 0.00 %, registered at run time\n(.*\n)*Version v3 is registered.\nGeneration 8/);
  t.strictSame(admin.last?.body, { endpoints: [{ url: 'http://127.0.0.1:3005' }] });
  t.strictSame(admin.last?.query, { reason: 'new' });
  admin.on(`DELETE ${DEMO}/versions/v%2F3`, { body: APPLIED });
  t.equal(await printed('versions', 'remove', 'demo', 'v/3'), `Version v/3 is taken out.\n${APPLIED_LINE}`);
  await misused(['versions', 'set', 'demo', 'v3'], 'set takes a service, a version and the URL of each endpoint');
  await misused(['versions'], 'SERVICE is missing');
});

t.test('flags', async (t) => {
  admin.on('GET /api/v1/flags', { body: { flags: [FLAG] } });
  const table =
    'FLAG           VALUE  DEFAULT  ENVIRONMENTS  OVERRIDE  KEY               HEADER\n' +
    'new-checkout  12.5 %      off  staging on      12.5 %  header x-user-id  X-Flag-New-Checkout\n';
  t.equal(await printed('flags'), table);
  admin.on('GET /api/v1/flags/new-checkout', { body: FLAG });
  t.equal(await printed('flags', 'new-checkout'), table);
  admin.on('PUT /api/v1/flags/new-checkout', { body: { flag: FLAG, ...APPLIED } });
  for (const [text, value] of [
    ['12.5%', 12.5],
    ['on', 100],
    ['off', 0],
    ['true', 100],
  ] as const) {
    t.equal(await printed('flags', 'set', 'new-checkout', text), table + APPLIED_LINE);
    t.strictSame(admin.last?.body, { value });
  }
  admin.on('DELETE /api/v1/flags/new-checkout', { body: { flag: FLAG, ...APPLIED } });
  await printed('flags', 'reset', 'new-checkout', '--reason', 'enough');
  t.match(admin.last, { call: 'DELETE /api/v1/flags/new-checkout', query: { reason: 'enough' } });
  await misused(['flags', 'set', 'x', 'maybe'], 'the value must be on, off or a percentage from 0 to 100, not "maybe"');
  await misused(['flags', 'set', 'x'], 'VALUE is missing');
});

t.test('audit', async (t) => {
  const row = (seq: number, part: object) => ({
    ...{ seq, at: '2026-01-01T12:00:00.000Z', actor: 'ci', role: 'operator', address: '127.0.0.1', requestId: 'x' },
    ...{ action: 'weights.set', target: 'services/demo/weights', before: { v1: 100 }, after: { v1: 90, v2: 10 } },
    ...{ reason: 'first', previous: 'p', hash: 'h' },
    ...part,
  });
  const rows = [row(13, { actor: 'sluice', address: '', before: null, after: null, reason: '' }), row(12, {})];
  admin.on('GET /api/v1/audit', { body: { rows, next: null } });
  t.equal(
    await printed('audit'),
    'NO  TIME                 ACTOR         ACTION       TARGET                 CHANGE                     REASON\n' +
      '12  2026-01-01 12:00:00  ci 127.0.0.1  weights.set  services/demo/weights  {v1:100} -> {v1:90,v2:10}  first\n' +
      '13  2026-01-01 12:00:00  sluice        weights.set  services/demo/weights  -\n',
    'oldest first',
  );
  t.strictSame(admin.last?.query, { limit: '50', newest: 'true' });
  await printed('audit', '--since', '7', '--limit', '3', '--actor', 'ci', '--action', 'a', '--target', 't');
  t.strictSame(admin.last?.query, { limit: '3', since: '7', actor: 'ci', action: 'a', target: 't' });
  admin.on('GET /api/v1/audit/verify', { body: { ok: true, rows: 13, head: 'abc' } });
  t.equal(await printed('audit', 'verify'), 'The audit log is whole: 13 rows, head abc\n');
  const verdict = { ok: false, rows: 13, head: 'abc', fault: { seq: 4, message: 'it was changed' } };
  admin.on('GET /api/v1/audit/verify', { body: verdict });
  const out = 'The audit log does not fit together: row 4: it was changed\n';
  t.strictSame(await called(admin, ['audit', 'verify']), { code: 1, out, err: '' });
  t.match(await called(admin, ['audit', 'verify', '--data', t.testdir({})]), {
    code: 1,
    out: '',
    err: /^sluice audit: /,
  });
  await misused(['audit', '--data', 'x'], '--data is for "sluice audit verify"');
  await misused(['audit', '--limit', 'x'], '--limit must be a whole number, not "x"');
});

t.test('config', async (t) => {
  admin.on('GET /api/v1/config', { body: CONFIG });
  const differences =
    'KEY                       FILE  OVERRIDE  EFFECTIVE\nservices.demo.weights.v2  10    20        20\n';
  t.equal(
    await printed('config'),
    'generation   7\nenvironment  default\nfiles        /etc/sluice/sluice.yaml\nread at      2026-01-01 12:00:00\n\n' +
      differences,
  );
  t.equal(await printed('config', '--diff'), differences);
  t.equal(await printed('config', '--effective'), 'listen:\n  - 127.0.0.1:8080\nworkers: 2\n');
  t.equal(await printed('config', '--file'), 'listen:\n  - 127.0.0.1:8080\n');
  t.strictSame(JSON.parse(await printed('config', '--effective', '--json')), CONFIG.effective);
  t.strictSame(JSON.parse(await printed('config', '--json')), CONFIG);
  const fault = { file: 'a.yaml', line: 3, column: 1, field: 'workrs', message: 'unknown key; did you mean workers?' };
  const rejected = { at: '2026-01-01T13:00:00.000Z', problems: [fault] };
  admin.on('GET /api/v1/config', { body: { ...CONFIG, rejected, differences: [] } });
  t.match(
    await printed('config'),
    'refused at   2026-01-01 13:00:00\na.yaml:3:1: workrs: unknown key; did you mean workers?\nNothing differs from the files.\n',
  );
  await misused(['config', '--file', '--diff'], '--effective, --file and --diff exclude each other');
});

t.test('reload', async (t) => {
  const dropped = [{ key: 'services.demo.weights', reason: 'v2 is gone' }];
  admin.on('POST /api/v1/config/reload', { body: { changed: true, ...APPLIED, dropped } });
  t.equal(
    await printed('reload', '--reason', 'new route'),
    `${APPLIED_LINE}Given up: services.demo.weights: v2 is gone\n`,
  );
  t.match(admin.last, { query: { reason: 'new route' } });
  admin.on('POST /api/v1/config/reload', { body: { changed: false, generation: 8, dropped: [] } });
  t.equal(await printed('reload'), 'The files say what is running already, generation 8.\n');
});

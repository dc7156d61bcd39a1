import t from 'tap';
import { AdminStage, GUARDED, OPEN, type Sent } from './admin-stage.ts';

const OPS = 'https://ops.example.com';
const stage = await AdminStage.open({ ...OPEN, origins: [OPS], hosts: ['sluice.internal'] });
t.teardown(() => stage.server.close(1_000));

const WEIGHTS = '/api/v1/services/demo/weights';
const change = (headers: Sent['headers']) => stage.send('PUT', WEIGHTS, { body: { v1: 100 }, headers: headers ?? {} });
const outcome = async (reply: Promise<{ status: number; json: { code?: string } }>) => {
  const { status, json } = await reply;
  return status < 400 ? status : json.code;
};

t.test('a web page cannot drive the API', async (t) => {
  const own = `http://127.0.0.1:${stage.port}`;
  t.equal(await outcome(change({ origin: own })), 200);
  t.equal(await outcome(change({ origin: own, 'sec-fetch-site': 'same-origin' })), 200);
  t.equal(await outcome(change({})), 200, 'programs send no origin');
  const before = stage.operations.noted.length;
  for (const origin of [
    'http://evil.example',
    'null',
    `http://localhost:${stage.port}`,
    'http://127.0.0.1:1',
    `https://127.0.0.1:${stage.port}`,
  ]) {
    t.equal(await outcome(change({ origin })), 'foreign_origin', origin);
    t.equal(await outcome(stage.get('/api/v1/status', { origin })), 'foreign_origin', `${origin} reading`);
    const preflight = await stage.send('OPTIONS', WEIGHTS, {
      headers: { origin, 'access-control-request-method': 'PUT' },
    });
    t.equal(preflight.status, 403);
    t.notOk(preflight.headers['access-control-allow-origin']);
  }
  t.equal(await outcome(change({ 'sec-fetch-site': 'cross-site' })), 'foreign_origin');
  t.equal(await outcome(stage.get('/metrics', { 'sec-fetch-site': 'same-site' })), 'foreign_origin');
  const navigation = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  for (const path of ['/', '/docs', '/docs/problems']) t.equal(await outcome(stage.get(path, navigation)), 200, path);
  t.equal(await outcome(stage.get('/api/v1/config', navigation)), 'foreign_origin');
  t.equal(stage.operations.noted.length, before, 'nothing was changed');
});

t.test('a name that was pointed here cannot either', async (t) => {
  for (const host of [
    'evil.example',
    `evil.example:${stage.port}`,
    '127.0.0.1.nip.example',
    'localhost.evil.example',
  ]) {
    t.equal(await outcome(stage.get('/healthz', { host })), 'misdirected', host);
    t.equal(
      await outcome(change({ host, origin: `http://${host}` })),
      'misdirected',
      `${host}, to the browser its own origin`,
    );
  }
  for (const host of ['localhost', 'localhost:9901', '[::1]:9901', '127.0.0.1', 'SLUICE.internal:80']) {
    t.equal(await outcome(stage.get('/healthz', { host })), 200, host);
  }
});

t.test('pages of a configured origin may', async (t) => {
  const preflight = await stage.send('OPTIONS', WEIGHTS, {
    headers: { origin: OPS, 'access-control-request-method': 'PUT', 'sec-fetch-site': 'cross-site' },
  });
  t.equal(preflight.status, 204);
  t.equal(preflight.headers['access-control-allow-origin'], OPS);
  t.match(preflight.headers['access-control-allow-methods'], /PUT/);
  t.match(preflight.headers['access-control-allow-headers'], /authorization.*if-match/);
  const reply = await change({ origin: OPS, 'sec-fetch-site': 'cross-site' });
  t.equal(reply.status, 200);
  t.equal(reply.headers['access-control-allow-origin'], OPS);
  t.match(reply.headers['access-control-expose-headers'], /etag.*link, sluice-event-gap/);
  t.notOk(reply.headers['access-control-allow-credentials'], 'there is nothing that a browser would add by itself');
  const refused = await stage.get('/api/v1/services/dmo', { origin: OPS });
  t.equal(refused.headers['access-control-allow-origin'], OPS, 'the page can read why it was refused');
});

t.test('a preflight needs no token', async (t) => {
  const guarded = await AdminStage.open({ ...GUARDED, origins: [OPS] });
  t.teardown(() => guarded.server.close(1_000));
  const headers = { origin: OPS, 'access-control-request-method': 'PUT' };
  t.equal((await guarded.send('OPTIONS', WEIGHTS, { headers })).status, 204);
  t.equal((await guarded.get('/api/v1/status', { origin: OPS })).status, 401);
});

t.test('protective fields are on every answer', async (t) => {
  for (const path of [
    '/',
    '/healthz',
    '/metrics',
    '/openapi.json',
    '/api/v1/status',
    '/nope',
    '/%zz',
    '/api/v1/services/dmo',
  ]) {
    const { headers } = await stage.get(path);
    t.match(
      headers,
      {
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
        'x-request-id': /./,
      },
      path,
    );
    t.notOk(headers['set-cookie']);
    t.notOk(headers['strict-transport-security'], 'not without TLS');
  }
});

t.test('the pages for people load nothing from elsewhere', async (t) => {
  const page = await stage.get('/docs');
  t.equal(page.status, 200);
  t.match(page.headers['content-security-policy'], /script-src 'self'; .*frame-ancestors 'none'/);
  const linked = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => String(address));
  t.ok(linked.length >= 5);
  for (const address of linked) {
    t.match(address, /^\/docs\//, 'of this server');
    t.equal((await stage.get(address)).status, 200, address);
  }
  const css = (await stage.get('/docs/static/swagger-ui.css')).text;
  t.notMatch(css, /@import|url\(["']?(https?:)?\/\//);
  const start = await stage.get('/docs/static/swagger-initializer.js');
  t.match(start.text, /validatorUrl: (null|undefined)/, 'nobody is asked whether the document is valid');
  t.equal((await stage.get('/docs/json')).json.openapi, '3.1.0');
});

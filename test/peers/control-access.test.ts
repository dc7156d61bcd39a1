/** Who may do what on the admin API of a real process: roles, tokens that change while it runs, TLS, and the refusal to stand open. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { request } from 'undici';
import { lacking, run } from './commands.ts';
import {
  configFor,
  eventually,
  newSite,
  type Site,
  sluice,
  startControl,
  threeUpstreams,
  whoAnswers,
} from './control-process.ts';

const OPERATOR = 'operator-token-of-this-test';
const VIEWER = 'viewer-token-of-this-test';
const ADMIN = 'admin-token-of-this-test';
const RENEWED = 'renewed-admin-token-of-this-test';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const tokenFiles = (site: Site) => ({ viewer: join(site.folder, 'viewer'), admin: join(site.folder, 'admin') });

function adminConfig(site: Site, more: object = {}): object {
  const files = tokenFiles(site);
  const tokens = [
    { name: 'eyes', role: 'viewer', file: files.viewer },
    { name: 'ci', role: 'operator', env: 'CI_TOKEN' },
    { name: 'ops', role: 'admin', file: files.admin },
  ];
  return { admin: { listen: `127.0.0.1:${site.adminPort}`, tokens, ...more } };
}

t.test('roles', async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const files = tokenFiles(site);
  writeFileSync(files.viewer, `${VIEWER}\n`);
  writeFileSync(files.admin, ADMIN);
  const running = await startControl(t, site, configFor(site, urls, adminConfig(site, { publicMetrics: true })), {
    env: { CI_TOKEN: OPERATOR },
  });
  const { calls } = running;
  const weights = '/api/v1/services/shop/weights';
  const status = async (method: 'GET' | 'PUT' | 'POST', path: string, token: string | null, body?: object) =>
    (await calls.call(method, path, body, token === null ? {} : bearer(token))).status;

  await t.test('each may do what it is for', async (t) => {
    const cases: readonly (readonly ['GET' | 'PUT' | 'POST', string, readonly number[], object?])[] = [
      // nobody, viewer, operator, admin
      ['GET', '/readyz', [200, 200, 200, 200]],
      ['GET', '/metrics', [200, 200, 200, 200]],
      ['GET', '/api/v1/services', [401, 200, 200, 200]],
      ['GET', '/api/v1/audit', [401, 200, 200, 200]],
      ['PUT', weights, [401, 403, 200, 200], { v1: 80, v2: 20 }],
      ['POST', '/api/v1/config/reload', [401, 403, 403, 200]],
    ];
    for (const [method, path, expected, body] of cases) {
      const found: number[] = [];
      for (const token of [null, VIEWER, OPERATOR, ADMIN]) found.push(await status(method, path, token, body));
      t.strictSame(found, expected, `${method} ${path}`);
    }
    t.equal(await status('GET', '/api/v1/services', 'a-token-of-somebody-else'), 401);
    const { body } = await calls.call<{ rows: object[] }>('GET', '/api/v1/audit', undefined, bearer(VIEWER));
    t.match(body.rows, [
      { actor: 'ci', role: 'operator', action: 'weights.set' },
      { actor: 'ops', role: 'admin' },
    ]);
  });

  await t.test('a token that is changed in its file', async (t) => {
    const stream = await request(`${site.admin}/api/v1/events`, { headers: bearer(ADMIN) });
    const ended = new Promise((resolve) => stream.body.on('close', resolve));
    stream.body.on('error', () => {}).resume();
    writeFileSync(files.admin, RENEWED);
    const applied = 'sluice_config_reloads_total{result="applied"}';
    await eventually('the reload', async () => (await calls.metric(applied)) === 1);
    t.equal(await status('GET', '/api/v1/services', ADMIN), 401, 'the old one is refused');
    t.equal(await status('POST', '/api/v1/config/reload', RENEWED), 200, 'the new one is not');
    t.equal(await status('PUT', weights, OPERATOR, { v1: 70, v2: 30 }), 200, 'the others are as before');
    await ended;
    t.pass('a stream that the old one had opened has ended');
  });

  await t.test('no secret is anywhere', async (t) => {
    const { text: view } = await calls.call('GET', '/api/v1/config', undefined, bearer(VIEWER));
    const { text: audit } = await calls.call('GET', '/api/v1/audit', undefined, bearer(VIEWER));
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push(await status('GET', '/api/v1/status', `guess-number-${i}-of-many`));
    t.equal(statuses.at(-1), 429, 'whoever guesses is kept out after a while');
    t.match(await whoAnswers(site), /^[abc]$/, 'which is nothing to requests');
    t.strictSame(await running.stop(), { code: 0, signal: null });
    const state = ['state.db'].map((name) => readFileSync(join(site.data, name), 'latin1'));
    for (const secret of [OPERATOR, VIEWER, ADMIN, RENEWED]) {
      t.notOk(
        [view, audit, running.log.join(), ...state].some((text) => text.includes(secret)),
        secret,
      );
    }
    t.match(view, 'env:CI_TOKEN', 'only where it comes from');
  });
});

t.test('TLS', { skip: lacking('openssl', 'curl') }, async (t) => {
  const site = await newSite(t, 'https');
  const urls = await threeUpstreams(t);
  const cert = join(site.folder, 'cert.pem');
  const key = join(site.folder, 'key.pem');
  const newCertificate = async (): Promise<void> => {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1', '-nodes'];
    const keyType = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const made = await run('openssl', ['req', '-x509', ...keyType, ...subject, '-keyout', key, '-out', cert]);
    if (made.status !== 0) throw new Error(made.errors);
  };
  await newCertificate();
  const old = join(site.folder, 'old.pem');
  writeFileSync(old, readFileSync(cert));
  const admin = { listen: `127.0.0.1:${site.adminPort}`, tls: { cert, key } };
  const running = await startControl(t, site, configFor(site, urls, { admin }));
  const curl = (...args: readonly string[]) => run('curl', ['--silent', '--max-time', '10', ...args]);
  const ready = (authority: string) => curl('--cacert', authority, `${site.admin}/readyz`);
  t.match(JSON.parse((await ready(cert)).output.toString()), { ready: true });
  t.equal((await curl(`${site.admin}/readyz`)).status, 60, 'a client that does not know it refuses it');
  t.not((await curl(`http://127.0.0.1:${site.adminPort}/readyz`)).status, 0, 'nothing without TLS');
  const { status, output } = await sluice('status', '--admin', site.admin, '--cacert', cert);
  t.equal(status, 0, output.toString());

  await newCertificate();
  await eventually('the new certificate', async () => (await ready(cert)).status === 0);
  t.equal((await ready(old)).status, 60, 'and the old one is gone');
  t.strictSame(await running.stop(), { code: 0, signal: null });
});

t.test('an address that others reach needs tokens', async (t) => {
  const site = await newSite(t);
  const urls = await threeUpstreams(t);
  const text = configFor(site, urls, { admin: { listen: `0.0.0.0:${site.adminPort}` } });
  const error: Error = await startControl(t, site, text).then(
    () => new Error('it started'),
    (reason) => reason,
  );
  t.match(
    error.message,
    /^ended with 1:\n.*sluice\.yaml:\d+:\d+: admin\.listen: without tokens everyone who reaches 0\.0\.0\.0/,
  );
});

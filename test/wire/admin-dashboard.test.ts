import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { AdminStage, GUARDED, OPEN } from './admin-stage.ts';

const FILES = {
  'index.html': '<!doctype html><title>Sluice</title><script type="module" src="/dashboard/app.js"></script>\n',
  'app.js': `document.title = 'up'; // ${'x'.repeat(5_000)}\n`,
  'app.css': `body { color: red } /* ${'y'.repeat(5_000)} */\n`,
  'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
};
/** What browsers say of themselves. */
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

const folder = mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
const bundle = pathToFileURL(`${folder}/`);
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
const stage = await AdminStage.open(GUARDED, bundle);
t.teardown(async () => {
  await stage.server.close(1_000);
  rmSync(folder, { recursive: true });
});

t.test('a browser gets the page, anyone else the list', async (t) => {
  for (const accept of [BROWSER.accept, 'text/html', 'text/html;q=0.9, application/json;q=0.1']) {
    const { status, headers, text } = await stage.get('/', { accept });
    t.strictSame([status, text], [200, FILES['index.html']], accept);
    t.match(headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      etag: /^"[0-9a-f]{16}-identity"$/,
      vary: 'accept, accept-encoding, origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': /^default-src 'none'; script-src 'self'; style-src 'self'; .*; frame-ancestors 'none'/,
    });
    t.notMatch(headers['content-security-policy'], /unsafe|https?:|\*/);
  }
  for (const accept of [
    undefined,
    '*/*',
    'application/json',
    'text/html;q=0.5, */*',
    'text/plain',
    'text/*;q=0.1, */*',
  ]) {
    const { status, headers, json } = await stage.get('/', accept === undefined ? {} : { accept });
    t.strictSame([status, json?.name, headers.vary], [200, 'sluice', 'accept, origin'], accept ?? 'nothing');
    t.equal(headers['cache-control'], 'no-store');
    t.equal(
      headers['content-security-policy'],
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  }
});

t.test('its files, without a token', async (t) => {
  const types = {
    'app.js': 'text/javascript; charset=utf-8',
    'app.css': 'text/css; charset=utf-8',
    'icon.svg': 'image/svg+xml',
  };
  for (const [name, type] of Object.entries(types)) {
    const { status, headers, text } = await stage.get(`/dashboard/${name}`);
    t.strictSame([status, text], [200, FILES[name as keyof typeof FILES]]);
    t.match(headers, {
      'content-type': type,
      'cache-control': 'no-cache',
      vary: 'accept-encoding, origin',
      'content-security-policy': /script-src 'self'/,
      'cross-origin-resource-policy': 'same-origin',
    });
    const head = await stage.send('HEAD', `/dashboard/${name}`);
    t.strictSame([head.status, head.text, head.headers['content-length']], [200, '', String(text.length)]);
  }
  for (const path of [
    '/dashboard/index.html',
    '/dashboard/',
    '/dashboard',
    '/dashboard/app.js.map',
    '/dashboard/..%2fapp.js',
  ]) {
    t.equal((await stage.get(path)).status, 404, path);
  }
  t.equal((await stage.send('POST', '/dashboard/app.js')).status, 404);
});

t.test('compressed as is wanted, and not sent again', async (t) => {
  const opened = { br: brotliDecompressSync, gzip: gunzipSync, identity: (bytes: Buffer) => bytes };
  const tags = new Set<string>();
  for (const [wanted, coding] of [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['br;q=0.5, gzip', 'gzip'],
    ['*', 'br'],
    ['*, br;q=0', 'gzip'],
    ['identity, br;q=0.1', 'identity'],
    ['br;q=0, *;q=0', 'identity'],
    ['zstd', 'identity'],
    ['', 'identity'],
  ] as const) {
    const answer = await bytesOf('/dashboard/app.js', { 'accept-encoding': wanted });
    t.equal(answer.headers['content-encoding'], coding === 'identity' ? undefined : coding, wanted);
    t.equal(opened[coding](answer.bytes).toString(), FILES['app.js']);
    t.equal(answer.headers['content-length'], String(answer.bytes.length));
    if (coding !== 'identity') t.ok(answer.bytes.length < 500, `${answer.bytes.length} bytes`);
    const etag = String(answer.headers.etag);
    tags.add(etag);
    for (const known of [etag, `W/${etag}`, `"of-yesterday", ${etag}`, '*']) {
      const again = await bytesOf('/dashboard/app.js', { 'accept-encoding': wanted, 'if-none-match': known });
      t.strictSame([again.status, again.bytes.length, again.headers.etag], [304, 0, etag], known);
      t.equal(again.headers.vary, 'accept-encoding, origin');
    }
    for (const other of ['"of-yesterday"', 'no tag', '']) {
      t.equal((await bytesOf('/dashboard/app.js', { 'accept-encoding': wanted, 'if-none-match': other })).status, 200);
    }
  }
  t.equal(tags.size, 3, 'a tag for each coding');
  const page = await stage.get('/', BROWSER);
  t.equal((await stage.get('/', { ...BROWSER, 'if-none-match': page.headers.etag! })).status, 304);
});

async function bytesOf(path: string, headers: Record<string, string>) {
  const request = stage.request('GET', path, { headers });
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) =>
    request.on('response', resolve).on('error', reject),
  );
  const bytes = Buffer.concat(await response.toArray());
  return { status: response.statusCode ?? 0, headers: response.headers, bytes };
}

t.test('pages of others cannot load it', async (t) => {
  const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' };
  t.equal((await stage.get('/dashboard/app.js', own)).status, 200);
  t.equal((await stage.get('/dashboard/app.js', { ...own, 'sec-fetch-mode': 'cors' })).status, 200, 'as a module');
  for (const site of ['cross-site', 'same-site']) {
    const foreign = await stage.get('/dashboard/app.js', { ...own, 'sec-fetch-site': site });
    t.strictSame([foreign.status, foreign.json.code], [403, 'foreign_origin'], site);
    const framed = { ...BROWSER, 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' };
    t.equal((await stage.get('/', framed)).status, 403);
    t.equal((await stage.get('/', { ...framed, 'sec-fetch-mode': 'navigate' })).status, 200, 'but link to it');
  }
  t.equal((await stage.get('/dashboard/app.js', { host: 'evil.example' })).status, 421);
});

t.test('where it was not built, Sluice says how', async (t) => {
  rmSync(join(folder, 'app.css'));
  const bare = await AdminStage.open(OPEN, bundle);
  t.teardown(() => bare.server.close(1_000));
  const page = await bare.get('/', BROWSER);
  t.strictSame([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8']);
  t.match(page.text, /was not built.*npm run dashboard/);
  const file = await bare.get('/dashboard/app.js');
  t.match(file.json, { status: 404, detail: /npm run dashboard/ });
  t.equal((await bare.get('/')).json.name, 'sluice');
  writeFileSync(join(folder, 'app.css'), FILES['app.css']);
});

const hasCurl = ((): boolean => {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

t.test('with fetch and with curl', { skip: hasCurl ? false : 'needs curl' }, async (t) => {
  const run = async (...args: string[]) => (await promisify(execFile)('curl', ['-s', ...args])).stdout;
  t.match(JSON.parse(await run(stage.url)), { name: 'sluice', docs: '/docs' });
  t.equal(await run('--compressed', `${stage.url}/dashboard/app.js`), FILES['app.js']);
  t.equal(await run('-H', 'Accept: text/html', stage.url), FILES['index.html']);
  const answer = await fetch(`${stage.url}/dashboard/app.css`);
  t.match(answer.headers.get('content-encoding'), /^(br|gzip)$/);
  t.equal(await answer.text(), FILES['app.css']);
  t.equal((await fetch(stage.url, { headers: { accept: 'text/html' } })).status, 200);
});

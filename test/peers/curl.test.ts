/**
 * curl through Sluice: the client that most people will try first, with the options that change what goes over the wire.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { lacking, run } from './commands.ts';
import { type Seen, seededBytes, sha256, startOrigin } from './origin.ts';
import { configOf, startSluice } from './sluice-process.ts';

const skip = lacking('curl');

t.test('curl', { skip }, async (t) => {
  const payload = seededBytes(3 * 1024 * 1024 + 17, 1);
  const slow = seededBytes(600 * 1024, 2);
  let refusedBytes = 0;
  const origin = await startOrigin(t, {
    '/payload': (_request, response) => {
      response.setHeader('content-length', payload.length);
      response.end(payload);
    },
    '/slow': (_request, response) => response.end(slow),
    '/chunked': (_request, response) => {
      response.setHeader('trailer', 'x-digest');
      for (let at = 0; at < payload.length; at += 100_000) response.write(payload.subarray(at, at + 100_000));
      response.addTrailers({ 'x-digest': sha256(payload) });
      response.end();
    },
    '/empty': (_request, response) => response.writeHead(204).end(),
  });
  // Only a client that asked with Expect comes here; the others are handled as usual.
  origin.server.on('checkContinue', (request, response) => {
    if (request.url === '/refuse') {
      request.on('data', (chunk: Buffer) => {
        refusedBytes += chunk.length;
      });
      response.writeHead(403, { connection: 'close' }).end('no');
      return;
    }
    response.writeContinue();
    origin.server.emit('request', request, response);
  });
  const sluice = await startSluice(t, configOf([origin.url]));
  const folder = mkdtempSync(join(tmpdir(), 'sluice-curl-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'payload.bin');
  writeFileSync(file, payload);

  /** Runs curl, silent but for errors; an exit status other than 0 fails the test with curl's own words. */
  const curl = async (...args: string[]): Promise<Buffer> => {
    const { status, output, errors } = await run(
      'curl',
      ['--silent', '--show-error', '--max-time', '25', ...args],
      payload,
    );
    if (status !== 0) throw new Error(`curl ${args.join(' ')} ended with ${status}: ${errors}`);
    return output;
  };
  const seen = async (...args: string[]): Promise<Seen> => JSON.parse((await curl(...args)).toString());

  t.test('two URLs use one connection', async (t) => {
    const count = ['--write-out', '\n%{num_connects}\n', '--output', '/dev/null'];
    const output = await curl(...count, `${sluice.url}/a`, '--output', '/dev/null', `${sluice.url}/payload`);
    t.strictSame(output.toString().match(/\d+/g), ['1', '0']);
  });

  t.test('20 transfers at a time', async (t) => {
    const urls = Array.from({ length: 20 }, () => ['--output', '/dev/null', `${sluice.url}/payload`]).flat();
    const output = await curl(
      '--parallel',
      '--parallel-max',
      '20',
      '--write-out',
      '%{http_code} %{size_download}\n',
      ...urls,
    );
    t.equal(output.toString(), `200 ${payload.length}\n`.repeat(20));
  });

  t.test('a download arrives as it was sent', async (t) => {
    t.equal(sha256(await curl(`${sluice.url}/payload`)), sha256(payload), 'by length');
    t.equal(sha256(await curl(`${sluice.url}/chunked`)), sha256(payload), 'chunked');
  });

  t.test('trailers arrive', async (t) => {
    const output = await curl(
      '--dump-header',
      '-',
      '--output',
      '/dev/null',
      '-H',
      'TE: trailers',
      `${sluice.url}/chunked`,
    );
    t.match(output.toString().toLowerCase(), `x-digest: ${sha256(payload)}`);
  });

  t.test('an upload of known length', async (t) => {
    const answer = await seen('--upload-file', file, `${sluice.url}/up`);
    t.match(answer, { method: 'PUT', url: '/up', bytes: payload.length, sha256: sha256(payload) });
    t.equal(answer.headers['content-length'], String(payload.length));
    t.equal(answer.headers['transfer-encoding'], undefined);
  });

  t.test('an upload of unknown length', async (t) => {
    const answer = await seen('--upload-file', '-', `${sluice.url}/up`);
    t.match(answer, { method: 'PUT', bytes: payload.length, sha256: sha256(payload) });
    t.equal(answer.headers['transfer-encoding'], 'chunked');
    t.equal(answer.headers['content-length'], undefined);
  });

  t.test('forms: urlencoded and multipart', async (t) => {
    const plain = await seen('--data', 'a=1&b=2', `${sluice.url}/form?q=%20x`);
    t.match(plain, { method: 'POST', url: '/form?q=%20x', bytes: 7 });
    t.equal(plain.headers['content-type'], 'application/x-www-form-urlencoded');
    const multipart = await seen('--form', `file=@${file}`, `${sluice.url}/form`);
    t.match(multipart.headers['content-type'], /^multipart\/form-data; boundary=/);
    t.equal(String(multipart.bytes), multipart.headers['content-length']);
  });

  t.test('Expect: 100-continue on a large POST', async (t) => {
    // curl would wait 20 seconds for the interim response, which is more than it has for the whole transfer.
    const { status, output, errors } = await run('curl', [
      ...['--silent', '--verbose', '--max-time', '15', '--expect100-timeout', '20'],
      ...['-H', 'Expect: 100-continue', '--data-binary', `@${file}`, `${sluice.url}/up`],
    ]);
    t.equal(status, 0, errors.slice(-500));
    t.match(errors, /^> Expect: 100-continue/m, 'curl asked');
    t.match(errors, /^< HTTP\/1\.1 100 /m, 'and was told to go on');
    t.match(JSON.parse(output.toString()), { method: 'POST', bytes: payload.length, sha256: sha256(payload) });
  });

  t.test('a refusal in place of 100 Continue', async (t) => {
    const output = await curl(
      ...['--expect100-timeout', '20', '-H', 'Expect: 100-continue', '--data-binary', `@${file}`],
      ...['--write-out', ' %{http_code} %{size_upload}', `${sluice.url}/refuse`],
    );
    t.equal(output.toString(), 'no 403 0', 'curl sends no body');
    t.equal(refusedBytes, 0, 'and none reaches the upstream');
  });

  t.test('HTTP/1.0', async (t) => {
    const head = (text: Buffer): string => text.subarray(0, text.indexOf('\r\n\r\n')).toString().toLowerCase();
    const body = (text: Buffer): Buffer => text.subarray(text.indexOf('\r\n\r\n') + 4);
    const answer = await curl('--http1.0', '--include', `${sluice.url}/chunked`);
    t.equal(createHash('sha256').update(body(answer)).digest('hex'), sha256(payload));
    t.notMatch(head(answer), 'transfer-encoding', 'a client of HTTP/1.0 knows no chunks');
    t.notMatch(head(answer), /^connection: keep-alive/m, 'the end of the connection is the end of the body');

    const count = ['--write-out', '\n%{num_connects}\n', '--output', '/dev/null'];
    const kept = await curl(
      '--http1.0',
      '-H',
      'Connection: keep-alive',
      ...count,
      `${sluice.url}/payload`,
      '--output',
      '/dev/null',
      `${sluice.url}/payload`,
    );
    t.strictSame(kept.toString().match(/\d+/g), ['1', '0'], 'keep-alive where it was asked for');

    const upload = await seen('--http1.0', '--upload-file', file, `${sluice.url}/up`);
    t.match(upload, { bytes: payload.length, sha256: sha256(payload) });
  });

  t.test('--limit-rate, both ways', async (t) => {
    const [down, up] = await Promise.all([
      curl('--limit-rate', '400k', `${sluice.url}/slow`),
      seen('--limit-rate', '2M', '--upload-file', file, `${sluice.url}/up`),
    ]);
    t.equal(sha256(down), sha256(slow));
    t.equal(up.sha256, sha256(payload));
  });

  t.test('HEAD and 204 leave the connection usable', async (t) => {
    const format = ['--write-out', '%{num_connects} %{http_code}\n', '--output', '/dev/null'];
    const output = await curl(
      ...['--head', ...format, `${sluice.url}/payload`, '--next', '--silent', ...format, `${sluice.url}/empty`],
      ...['--next', '--silent', ...format, `${sluice.url}/payload`],
    );
    t.equal(output.toString(), '1 200\n0 204\n0 200\n');
    const head = (await curl('--head', `${sluice.url}/payload`)).toString().toLowerCase();
    t.match(head, `content-length: ${payload.length}\r\n`);
  });

  t.test('used as a forward proxy, with a target in absolute form', async (t) => {
    const answer = await seen('--proxy', sluice.url, 'http://shop.example/path?x=1');
    t.match(answer, { method: 'GET', url: '/path?x=1' });
    t.equal(answer.headers['x-forwarded-host'], 'shop.example');
  });

  t.test('an upgrade that the upstream does not know is an ordinary request', async (t) => {
    const answer = await seen('-H', 'Connection: Upgrade', '-H', 'Upgrade: unheard-of', `${sluice.url}/a`);
    t.match(answer, { method: 'GET', url: '/a' });
    const format = ['--write-out', '\n%{http_version}'];
    const [json, version] = (await curl('--http2', ...format, `${sluice.url}/b`)).toString().split('\n');
    t.equal(version, '1.1', 'an offer of HTTP/2 is declined');
    t.equal((JSON.parse(json ?? '') as Seen).headers['http2-settings'], undefined, 'its settings were for this hop');
  });

  t.test('request and response fields of this hop stay on this hop', async (t) => {
    const answer = await seen(
      '-H',
      'Connection: X-Private',
      '-H',
      'X-Private: 1',
      '-H',
      'X-Kept: 1',
      '-H',
      'TE: gzip',
      `${sluice.url}/a`,
    );
    t.equal(answer.headers['x-private'], undefined);
    t.equal(answer.headers['x-kept'], '1');
    t.match(answer.headers['x-forwarded-for'], '127.0.0.1');
    t.equal(answer.headers['x-forwarded-proto'], 'http');
    t.match(answer.headers.via, /^1\.1 sluice/);
    t.match(answer.headers['x-request-id'], /./);
    t.match(answer.headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9a-f]$/);
  });

  t.equal(sluice.child.exitCode, null, 'sluice lives');
});

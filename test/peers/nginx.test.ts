/**
 * nginx behind Sluice: what a web server does with static files has to come through unchanged.
 *
 * The client is curl, so that neither end of the wire is Node's.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { lacking, run } from './commands.ts';
import { startNginx } from './nginx.ts';
import { seededBytes, sha256 } from './origin.ts';
import { configOf, startSluice } from './sluice-process.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

t.test('nginx as upstream', { skip: lacking('nginx', 'curl') }, async (t) => {
  const large = seededBytes(10 * 1024 * 1024, 3);
  const text = 'All work and no play makes a dull proxy.\n'.repeat(500);
  const nginx = await startNginx(t, { 'large.bin': large, 'a.txt': text, 'empty.txt': '' });
  const sluice = await startSluice(t, configOf([nginx.url]));
  const folder = mkdtempSync(join(tmpdir(), 'sluice-upload-'));
  t.teardown(() => rmSync(folder, { recursive: true }));

  const curl = async (...args: string[]): Promise<Buffer> => {
    const { status, output, errors } = await run('curl', ['--silent', '--show-error', '--max-time', '25', ...args]);
    if (status !== 0) throw new Error(`curl ${args.join(' ')} ended with ${status}: ${errors}`);
    return output;
  };
  const get = async (path: string, ...args: string[]): Promise<Answer> => {
    const output = await curl('--include', ...args, `${sluice.url}${path}`);
    const end = output.indexOf('\r\n\r\n');
    const [first, ...lines] = output.subarray(0, end).toString('latin1').split('\r\n');
    const headers: Record<string, string> = {};
    for (const line of lines)
      headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 1).trim();
    return { status: Number(first?.split(' ')[1]), headers, body: output.subarray(end + 4) };
  };

  t.test('10 MiB, whole and in ranges', async (t) => {
    const whole = await get('/large.bin');
    t.equal(whole.status, 200);
    t.equal(whole.headers['content-length'], String(large.length));
    t.equal(sha256(whole.body), sha256(large));
    const part = await get('/large.bin', '--range', '1000000-1999999');
    t.equal(part.status, 206);
    t.equal(part.headers['content-range'], `bytes 1000000-1999999/${large.length}`);
    t.equal(sha256(part.body), sha256(large.subarray(1_000_000, 2_000_000)));
    const parts = await get('/large.bin', '--range', '0-9,100-109');
    t.equal(parts.status, 206);
    t.match(parts.headers['content-type'], /^multipart\/byteranges/);
    t.ok(parts.body.includes(large.subarray(100, 110)));
    t.equal((await get('/large.bin', '--range', '99999999-')).status, 416);
  });

  t.test('conditional requests', async (t) => {
    const first = await get('/a.txt');
    t.equal(first.body.toString(), text);
    const validators = { 'If-None-Match': first.headers.etag, 'If-Modified-Since': first.headers['last-modified'] };
    for (const [name, value] of Object.entries(validators)) {
      const again = await get('/a.txt', '-H', `${name}: ${value}`);
      t.equal(again.status, 304, name);
      t.equal(again.headers.etag, first.headers.etag);
      t.equal(again.body.length, 0);
    }
  });

  t.test('a 304 leaves the connections on both sides usable', async (t) => {
    const { etag } = (await get('/a.txt')).headers;
    const format = ['--write-out', '%{num_connects} %{http_code} %{size_download}\n', '--output', '/dev/null'];
    const output = await curl(
      ...['-H', `If-None-Match: ${etag}`, ...format, `${sluice.url}/a.txt`],
      ...[
        '--next',
        '--silent',
        ...format,
        `${sluice.url}/empty.txt`,
        '--next',
        '--silent',
        ...format,
        `${sluice.url}/a.txt`,
      ],
    );
    t.equal(output.toString(), `1 304 0\n0 200 0\n0 200 ${text.length}\n`);
  });

  t.test('compressed on the fly: chunked, no length', async (t) => {
    const answer = await get('/zip/a.txt', '-H', 'Accept-Encoding: gzip');
    t.equal(answer.headers['content-encoding'], 'gzip');
    t.equal(answer.headers['content-length'], undefined);
    t.equal(gunzipSync(answer.body).toString(), text);
    const plain = await get('/zip/a.txt', '--compressed');
    t.equal(plain.body.toString(), text);
  });

  t.test('HEAD and errors', async (t) => {
    const head = await get('/large.bin', '--head');
    t.equal(head.status, 200);
    t.equal(head.headers['content-length'], String(large.length));
    t.equal(head.body.length, 0);
    const missing = await get('/nothing.txt');
    t.equal(missing.status, 404);
    t.match(missing.body.toString(), 'nginx', "the upstream's own words");
    t.equal((await get('/a.txt', '-X', 'DELETE')).status, 405);
  });

  t.test('upstream connections are kept, and given up when nginx says so', async (t) => {
    const connections = async (path: string, count: number): Promise<string[]> => {
      const urls = Array.from({ length: count }, () => ['--output', '/dev/null', `${sluice.url}${path}`]).flat();
      const output = await curl('--dump-header', '-', '--fail', ...urls);
      return [...output.toString().matchAll(/^x-connection: (\d+)/gim)].map((match) => match[1] ?? '');
    };
    // One curl is one connection, so one worker with one pool.
    const kept = await connections('/a.txt', 10);
    t.equal(kept.length, 10);
    t.equal(new Set(kept).size, 1, 'one connection carries ten requests');
    const short = await connections('/short/a.txt', 30);
    t.equal(short.length, 30, 'no request is lost when nginx closes after two');
    t.ok(new Set(short).size >= 14, `${new Set(short).size} connections for 30 requests`);
    const hasty = await connections('/hasty/a.txt', 30);
    t.equal(hasty.length, 30, 'nor when it closes after each');
    t.equal(new Set(hasty).size, 30);
  });

  t.test('an early answer to an upload that is too large', async (t) => {
    const file = join(folder, 'large.bin');
    writeFileSync(file, large);
    const output = await curl('--upload-file', file, '--write-out', '\n%{http_code}', `${sluice.url}/small-only`);
    t.match(output.toString(), /413 Request Entity Too Large[\s\S]*\n413$/);
    t.match(
      (await get('/small-only', '--data', 'x'.repeat(1000))).body.toString(),
      'small enough',
      'and the next one is served',
    );
  });
});

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import tls from 'node:tls';
import t from 'tap';
import type { AdminConfig } from '../../src/model/admin-config.ts';
import { Secret } from '../../src/model/secret.ts';
import { turns } from '../kit/signal.ts';
import { AdminStage, bearer, GUARDED, OPEN } from './admin-stage.ts';

const WEIGHTS = '/api/v1/services/demo/weights';

t.test('tokens, hosts and origins are taken up on open connections', async (t) => {
  const stage = await AdminStage.open(GUARDED);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(async () => {
    agent.destroy();
    await stage.server.close(1_000);
  });
  let connections = 0;
  agent.on('free', () => {});
  const send = async (headers: Record<string, string>): Promise<number> => {
    const request = stage.request('GET', WEIGHTS, { headers, agent });
    request.on('socket', (socket) => {
      if (socket.connecting) connections++;
    });
    return new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
    });
  };
  const renewed = { authorization: 'Bearer renewed' };
  t.equal(await send(bearer('viewer')), 200);
  t.equal(await send(renewed), 401);
  await stage.server.reconfigure({
    ...GUARDED,
    tokens: [{ name: 'n', role: 'viewer', secret: new Secret('env:N', 'renewed') }],
    hosts: ['sluice.internal'],
    origins: ['https://ops.example.com'],
  });
  t.equal(await send(bearer('viewer')), 401);
  t.equal(await send({ ...renewed, host: 'sluice.internal', origin: 'https://ops.example.com' }), 200);
  t.equal(connections, 1, 'all on one connection');
});

t.test('closing: no new connections, what is under way finishes, what comes is refused', async (t) => {
  const stage = await AdminStage.open();
  let finish = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    finish = resolve;
  });
  stage.operations.reload = async () => {
    await waiting;
    return { changed: false, generation: 7, appliedInMs: 0, workers: 2, dropped: [] };
  };
  const underWay = stage.send('POST', '/api/v1/config/reload');
  const agent = new http.Agent({ keepAlive: true });
  await stage.send('GET', '/healthz', { agent });
  await turns(3);
  const closed = stage.server.close(60_000);
  await t.rejects(stage.get('/healthz'), 'nobody listens any more');
  finish();
  const reply = await underWay;
  t.equal(reply.status, 200);
  t.equal(reply.headers.connection, 'close');
  await closed;
  await stage.server.close(0);
  agent.destroy();
});

t.test('closing does not wait for ever', async (t) => {
  const stage = await AdminStage.open();
  let begun = (): void => {};
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  stage.operations.reload = () => {
    begun();
    return new Promise(() => {});
  };
  const hanging = t.rejects(stage.send('POST', '/api/v1/config/reload'));
  await beginning;
  const closed = stage.server.close(5_000);
  await turns(3);
  stage.clock.advance(5_000);
  await closed;
  await hanging;
});

t.test('an address in use is an error of listen', async (t) => {
  const stage = await AdminStage.open();
  t.teardown(() => stage.server.close(1_000));
  await t.rejects(AdminStage.open({ ...OPEN, listen: { host: '127.0.0.1', port: stage.port } }), {
    code: 'EADDRINUSE',
  });
});

t.test('localhost is one address', async (t) => {
  const stage = await AdminStage.open({ ...OPEN, listen: { host: 'localhost', port: 0 } });
  t.match(stage.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.equal((await stage.get('/healthz')).status, 200);
  await stage.server.close(1_000);
});

function certificate(directory: string, name: string): { cert: string; key: string } {
  const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...args, '-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.cert], {
    stdio: 'ignore',
  });
  return files;
}

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

t.test('TLS, and another certificate without a restart', { skip: hasOpenssl ? false : 'needs openssl' }, async (t) => {
  const directory = t.testdir();
  const first = certificate(directory, 'first');
  const second = certificate(directory, 'second');
  const config: AdminConfig = { ...OPEN, hosts: ['ops.example.com'], tls: first };
  const stage = await AdminStage.open(config);
  t.teardown(() => stage.server.close(1_000));
  t.match(stage.url, /^https:/);
  const hello = (maxVersion?: 'TLSv1.1') =>
    new Promise<tls.TLSSocket>((resolve, reject) => {
      const socket = tls.connect(
        {
          port: stage.port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ...(maxVersion && { maxVersion, minVersion: 'TLSv1' as const }),
        },
        () => resolve(socket),
      );
      socket.on('error', reject);
    });
  const open = await hello();
  t.equal(open.getPeerCertificate().subject.CN, 'first');
  await t.rejects(hello('TLSv1.1'), 'nothing older than TLS 1.2');
  const named = await stage.get('/healthz', { host: 'ops.example.com:9901' });
  t.equal(named.headers['strict-transport-security'], 'max-age=31536000');
  t.notOk((await stage.get('/healthz', { host: 'localhost' })).headers['strict-transport-security']);
  t.equal(
    (await stage.get('/healthz', { origin: `https://127.0.0.1:${stage.port}`, host: `127.0.0.1:${stage.port}` }))
      .status,
    200,
  );

  await stage.server.reconfigure({ ...config, tls: second });
  const renewed = await hello();
  t.equal(renewed.getPeerCertificate().subject.CN, 'second');
  renewed.destroy();
  open.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const answer = await new Promise<string>((resolve) => open.once('data', (chunk) => resolve(String(chunk))));
  t.match(answer, /^HTTP\/1.1 200 /, 'the connection of before goes on');
  open.destroy();

  writeFileSync(join(directory, 'broken.pem'), 'nonsense');
  const broken = { ...config, hosts: ['other.example'], tls: { cert: join(directory, 'broken.pem'), key: second.key } };
  await t.rejects(stage.server.reconfigure(broken), { code: 'config_invalid', message: /broken\.pem/ });
  const missing = { ...config, tls: { ...second, key: join(directory, 'none.key') } };
  await t.rejects(stage.server.reconfigure(missing), { code: 'config_invalid', message: /none\.key.*ENOENT/ });
  await t.rejects(stage.server.reconfigure({ ...config, tls: { cert: first.cert, key: second.key } }), {
    code: 'config_invalid',
  });
  await t.rejects(stage.server.reconfigure(OPEN), { code: 'conflict' });
  const after = await hello();
  t.equal(after.getPeerCertificate().subject.CN, 'second', 'what served before goes on');
  after.destroy();
  t.equal((await stage.get('/healthz', { host: 'other.example' })).status, 421, 'all of it');
});

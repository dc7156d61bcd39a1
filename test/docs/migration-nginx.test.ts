/**
 * docs/migration/nginx.md tells the truth: its two configurations, run as they stand, give the same share to the same version, keep every user,
 * take the same override, and move nobody away from a version whose share grows.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Pool } from 'undici';
import { lacking } from '../peers/commands.ts';
import { startProgram } from '../peers/server-program.ts';
import { startSluice } from '../peers/sluice-process.ts';
import { readPage } from './doc-tree.ts';
import { blocksOf } from './markdown.ts';

const USERS = 1_000;

const blocks = blocksOf(readPage('docs/migration/nginx.md'));
const written = (language: string): string => blocks.find(({ info }) => info[0] === language)?.text ?? '';

/** A server that answers with its version, in place of the one that the page names; returns its port. */
async function version(t: Test, name: string): Promise<number> {
  const server = createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true) ?? socket.destroy());
    socket.on('error', () => resolve(false));
  });
}

async function startNginx(t: Test, http: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-migration-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const port = await startProgram(t, {
    ...{ name: 'nginx', folder, isReady: answers, signal: 'SIGTERM' },
    argumentsFor(port) {
      const own = `daemon off; ${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 1; pid ${folder}/pid; error_log stderr;
        events { worker_connections 1024; }
        http { access_log off; ${paths.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
        ${http.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)} }`;
      writeFileSync(file, own);
      return ['-p', folder, '-e', 'stderr', '-c', file];
    },
  });
  return `http://127.0.0.1:${port}`;
}

/** The version of each user, in order. */
async function versionsOf(t: Test, url: string, headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const pool = new Pool(url, { connections: 16 });
  t.teardown(() => pool.close());
  const ask = async (user: number): Promise<string> => {
    const { body } = await pool.request({
      method: 'GET',
      path: '/',
      headers: { 'x-user-id': `user-${user}`, ...headers },
    });
    return body.text();
  };
  return Promise.all(Array.from({ length: USERS }, (_, user) => ask(user)));
}

const shareOf = (versions: readonly string[]): number =>
  versions.filter((name) => name === 'v2').length / versions.length;

t.test('nginx and Sluice, side by side', { skip: lacking('nginx') }, async (t) => {
  const ports = { 3001: await version(t, 'v1'), 3002: await version(t, 'v1'), 3003: await version(t, 'v2') };
  const placed = (text: string): string =>
    Object.entries(ports).reduce((all, [port, own]) => all.replaceAll(`:${port}`, `:${own}`), text);
  const nginx = placed(written('nginx'));
  const sluice = placed(written('yaml'))
    .replaceAll('127.0.0.1:8080', '127.0.0.1:0')
    .replace(/^admin:.*\n/m, '');
  const atTwenty = {
    nginx: nginx.replace('5%  shop_v2', '20%  shop_v2'),
    sluice: sluice.replace('{ v1: 95, v2: 5 }', '{ v1: 80, v2: 20 }'),
  };
  t.not(atTwenty.nginx, nginx);
  t.not(atTwenty.sluice, sluice);
  const urls = {
    nginx: [await startNginx(t, nginx), await startNginx(t, atTwenty.nginx)],
    sluice: [(await startSluice(t, sluice)).url, (await startSluice(t, atTwenty.sluice)).url],
  };
  for (const [name, [five = '', twenty = '']] of Object.entries(urls)) {
    const before = await versionsOf(t, five);
    t.ok(Math.abs(shareOf(before) - 0.05) < 0.02, `${name}: ${shareOf(before)} of the users at 5 %`);
    t.strictSame(await versionsOf(t, five), before, `${name}: each user stays`);
    const after = await versionsOf(t, twenty);
    t.ok(Math.abs(shareOf(after) - 0.2) < 0.03, `${name}: ${shareOf(after)} of the users at 20 %`);
    t.ok(
      before.every((version, user) => version === 'v1' || after[user] === 'v2'),
      `${name}: nobody leaves v2 when its share grows`,
    );
    t.equal(shareOf(await versionsOf(t, five, { 'x-canary-deploy': 'canary' })), 1, `${name}: asked for by header`);
  }
});

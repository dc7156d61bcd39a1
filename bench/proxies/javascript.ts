/**
 * The proxies that Node users have today, each a few lines in bench/peers with its own dependencies.
 *
 * All run on the Node that runs this harness, with NODE_ENV=production and keep-alive towards the upstream. They are not dependencies of the
 * project: `npm ci --prefix bench/peers` brings them, and the run goes on without the ones that are not there.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProxySetup } from './proxy-setup.ts';

const peers = new URL('../peers/', import.meta.url).pathname;

function peer(id: string, title: string, packageName: string, script: string, note: string): ProxySetup {
  const manifest = join(peers, 'node_modules', packageName, 'package.json');
  return {
    id,
    title,
    note,
    justInTime: true,
    missing: () => (existsSync(manifest) ? null : `${packageName} is not installed: npm ci --prefix bench/peers`),
    version: () => (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
    launch: ({ port, upstreamPort, directory }) => ({
      command: process.execPath,
      args: ['--no-deprecation', join(peers, script), String(port), `http://127.0.0.1:${upstreamPort}`],
      cwd: directory,
      env: { NODE_ENV: 'production' },
    }),
  };
}

export const javascriptPeers: readonly ProxySetup[] = [
  peer('node-undici', 'node:http + undici', 'undici', 'node-undici.js', 'dispatch, 1,024 connections, X-Forwarded-*'),
  peer(
    'fastify',
    '@fastify/http-proxy',
    '@fastify/http-proxy',
    'fastify-http-proxy.js',
    'its undici pool, 1,024 connections, no log',
  ),
  peer('fast-proxy', 'fast-proxy', 'fast-proxy', 'fast-proxy.js', 'default mode (node:http agent)'),
  peer('http-proxy', 'http-proxy', 'http-proxy', 'http-proxy.js', 'keep-alive agent, xfwd'),
  peer('http-proxy-3', 'http-proxy-3', 'http-proxy-3', 'http-proxy-3.js', 'keep-alive agent, xfwd'),
];

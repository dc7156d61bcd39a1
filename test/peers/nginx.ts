/**
 * nginx as an upstream: static files, ranges, validators, compression, its own ideas about keep-alive.
 *
 * One process in the foreground, everything it writes in a folder of the test's own. It cannot be asked for a free port; see
 * server-program.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startProgram } from './server-program.ts';

export interface Nginx {
  readonly url: string;
  readonly port: number;
}

const configOf = (port: number, folder: string): string => `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  types { text/plain txt; application/octet-stream bin; }
  add_header X-Connection "$connection" always;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/files;
    location / { }
    location /zip/ { alias ${folder}/files/; gzip on; gzip_min_length 1; gzip_types text/plain; gzip_proxied any; }
    location /short/ { alias ${folder}/files/; keepalive_requests 2; }
    location /hasty/ { alias ${folder}/files/; keepalive_timeout 0; }
    location /small-only { client_max_body_size 1k; return 200 "small enough"; }
  }
}
`;

/** Serves `files` by name. */
export async function startNginx(t: Test, files: Readonly<Record<string, Buffer | string>>): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  mkdirSync(join(folder, 'files'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, 'files', name), content);
  t.teardown(() => rmSync(folder, { recursive: true }));

  const config = join(folder, 'nginx.conf');
  const port = await startProgram(t, {
    ...{ name: 'nginx', folder, isReady: accepts },
    argumentsFor(port) {
      writeFileSync(config, configOf(port, folder));
      return ['-p', folder, '-e', 'stderr', '-c', config];
    },
    // QUIT would wait for the proxy's idle connections.
    signal: 'SIGTERM',
  });
  return { port, url: `http://127.0.0.1:${port}` };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

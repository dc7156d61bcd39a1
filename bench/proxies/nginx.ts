/**
 * nginx twice: streaming, which is what Sluice does and what the ratios refer to, and with its default buffering.
 *
 * The reference must not be an easy one. Unbuffered nginx reads an upstream through one proxy_buffer_size, 4 KiB by default, and then spends four
 * to five times the processor time on a download and some more on a small answer than with 32 KiB; so it has 32 KiB. X-Forwarded-*
 * are set so that the work is comparable. Request counts that would close connections every 1,000 requests are lifted on both sides.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from '../machine.ts';
import { nginxPreamble, nginxTempPaths } from '../upstream/static.ts';
import { type ProxySetup, type StartContext, upstreamIdleConnections } from './proxy-setup.ts';

function configuration({ port, upstreamPort, directory }: StartContext, buffering: boolean): string {
  const streaming = buffering
    ? ''
    : 'proxy_buffering off; proxy_request_buffering off; proxy_buffer_size 32k; proxy_buffers 8 32k;';
  return `${nginxPreamble(directory)}
http {
  access_log off;
  ${nginxTempPaths(directory)}
  keepalive_requests 100000000;
  client_max_body_size 0;
  upstream app {
    server 127.0.0.1:${upstreamPort};
    keepalive ${upstreamIdleConnections};
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      ${streaming}
    }
  }
}
`;
}

function variant(id: string, title: string, note: string, buffering: boolean): ProxySetup {
  return {
    id,
    title,
    note,
    justInTime: false,
    missing: () => (outputOf('nginx', ['-v']) === null ? 'nginx is not installed: apt-get install nginx-light' : null),
    version: () => /nginx\/(\S+)/.exec(outputOf('nginx', ['-v']) ?? '')?.[1] ?? 'unknown',
    launch: (context) => {
      const file = join(context.directory, 'nginx.conf');
      writeFileSync(file, configuration(context, buffering));
      return { command: 'nginx', args: ['-c', file, '-p', context.directory] };
    },
  };
}

export const nginx = variant(
  'nginx',
  'nginx',
  '1 worker, upstream keepalive, X-Forwarded-*, buffering off both ways, 32 KiB buffers',
  false,
);

export const nginxBuffering = variant(
  'nginx-buffering',
  'nginx, buffering',
  'the same, but buffering and buffer sizes at their defaults',
  true,
);

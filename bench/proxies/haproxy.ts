/** HAProxy with one thread, upstream connections shared by all clients, and the forwarding headers that the others set. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from '../machine.ts';
import type { ProxySetup } from './proxy-setup.ts';

export const haproxy: ProxySetup = {
  id: 'haproxy',
  title: 'HAProxy',
  note: 'nbthread 1, http-reuse always, forwardfor, X-Forwarded-Proto and -Host',
  justInTime: false,
  missing: () => (outputOf('haproxy', ['-v']) === null ? 'haproxy is not installed: apt-get install haproxy' : null),
  version: () => /version (\d[\w.]*)/.exec(outputOf('haproxy', ['-v']) ?? '')?.[1] ?? 'unknown',
  launch: ({ port, upstreamPort, directory }) => {
    const file = join(directory, 'haproxy.cfg');
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend public
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  default_backend app
backend app
  server app 127.0.0.1:${upstreamPort}
`,
    );
    return { command: 'haproxy', args: ['-db', '-f', file] };
  },
};

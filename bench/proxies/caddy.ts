/** Caddy with one Go processor; X-Forwarded-* are its default. The admin endpoint, and with it the saved configuration, is off. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from '../machine.ts';
import { type ProxySetup, upstreamIdleConnections } from './proxy-setup.ts';

export const caddy: ProxySetup = {
  id: 'caddy',
  title: 'Caddy',
  note: 'GOMAXPROCS=1, defaults',
  justInTime: false,
  missing: () => (outputOf('caddy', ['version']) === null ? 'caddy is not installed: apt-get install caddy' : null),
  version: () => (outputOf('caddy', ['version']) ?? 'unknown').trim().split(' ', 1)[0] ?? 'unknown',
  launch: ({ port, upstreamPort, directory }) => {
    const file = join(directory, 'Caddyfile');
    writeFileSync(
      file,
      `{
	admin off
	auto_https off
	default_bind 127.0.0.1
}
http://:${port} {
	reverse_proxy 127.0.0.1:${upstreamPort} {
		transport http {
			keepalive_idle_conns_per_host ${upstreamIdleConnections}
		}
	}
}
`,
    );
    return {
      command: 'caddy',
      args: ['run', '--config', file, '--adapter', 'caddyfile'],
      env: { GOMAXPROCS: '1', HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory },
    };
  },
};

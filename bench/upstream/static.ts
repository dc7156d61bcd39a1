/**
 * The upstream of the GET scenarios: nginx with one worker, a constant answer and two files.
 *
 * Chosen because it costs the load's core less than any proxy under test costs its own, so that the proxy is what is measured. Connections are
 * kept for the whole run: none of them is closed by a request count or an idle timeout in the middle of a round.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from '../processes.ts';
import { kibibyte, mebibyte, smallBody } from '../scenarios.ts';
import { patternBody } from './origin.ts';

export function staticUpstream(port: number, directory: string): Launch {
  const files = join(directory, 'files');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'small'), smallBody);
  writeFileSync(join(files, '10k'), patternBody(10 * kibibyte));
  writeFileSync(join(files, '1m'), patternBody(mebibyte));
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(
    configuration,
    `${nginxPreamble(directory)}
http {
  access_log off;
  ${nginxTempPaths(directory)}
  default_type text/plain;
  keepalive_timeout 600s;
  keepalive_requests 100000000;
  sendfile on;
  open_file_cache max=16;
  open_file_cache_valid 3600s;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${files};
    location = /small { return 200 '${smallBody}'; }
  }
}
`,
  );
  return { command: 'nginx', args: ['-c', configuration, '-p', directory] };
}

/** The part that the upstream and the proxies under test share: in the foreground, one worker, no file outside the directory. */
export function nginxPreamble(directory: string): string {
  // As root nginx would give its worker to another user, who may not read a private temporary directory.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr warn;
pid ${directory}/nginx.pid;
events { worker_connections 9000; multi_accept on; }`;
}

export function nginxTempPaths(directory: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return kinds.map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(' ');
}

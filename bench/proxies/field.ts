/** Everyone who takes part, in the order of the report. */
import { caddy } from './caddy.ts';
import { haproxy } from './haproxy.ts';
import { javascriptPeers } from './javascript.ts';
import { nginx, nginxBuffering } from './nginx.ts';
import type { ProxySetup } from './proxy-setup.ts';
import { sluice, sluiceEverything } from './sluice.ts';

export const field: readonly ProxySetup[] = [
  sluice,
  sluiceEverything,
  nginx,
  nginxBuffering,
  haproxy,
  caddy,
  ...javascriptPeers,
];

/** What the ratios of the report refer to. */
export const reference = nginx;

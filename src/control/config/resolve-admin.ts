/**
 * The admin API: where it listens, who may use it, under which names.
 *
 * Whoever reaches an API without tokens may do everything, so without tokens the address must be a loopback one. That holds for faulty tokens
 * too: they are reported by themselves, and a configuration with a fault is never run.
 */
import { isIP } from 'node:net';
import type { AdminConfig, TokenConfig } from '../../model/admin-config.ts';
import type { ListenConfig } from '../../model/config.ts';
import { authority, isHostName, isLoopback, parseListen, parseOrigin, shareAddress } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import type { RawAdmin, RawAdminParts, RawToken } from './raw-admin.ts';
import { resolveSecret } from './resolve-secret.ts';
import { resolveTls } from './resolve-tls.ts';
import type { Review } from './review.ts';
import { PLAIN_DEFAULTS } from './settings.ts';
import { shown } from './structure.ts';
import type { Surroundings } from './surroundings.ts';

export const SHORTEST_TOKEN = 16;

/** What the audit calls those who have no token. */
const OTHER_ACTORS: ReadonlySet<string> = new Set(['local', 'file', 'signal', 'sluice']);

const PATH: ConfigPath = ['admin'];

/** @param taken addresses of the proxy itself. */
export function resolveAdmin(
  raw: RawAdmin | undefined,
  taken: readonly ListenConfig[],
  review: Review,
  surroundings: Surroundings,
): AdminConfig | null {
  if (raw === undefined || raw === null) return null;
  const parts: RawAdminParts = typeof raw === 'object' ? raw : { listen: raw };
  const isUsable = (key: keyof RawAdminParts): boolean => parts[key] !== undefined && review.sound([...PATH, key]);
  const listenPath = typeof raw === 'object' && raw.listen !== undefined ? [...PATH, 'listen'] : PATH;
  const listen = resolveListen(review.sound(listenPath) ? parts.listen : undefined, taken, listenPath, review);
  const tokens = Array.isArray(parts.tokens) ? (parts.tokens as readonly RawToken[]) : [];
  if (parts.tokens === undefined || (Array.isArray(parts.tokens) && tokens.length === 0)) {
    checkOpen(listen, listenPath, review);
  }
  return {
    listen,
    tokens: resolveTokens(tokens, review, surroundings),
    ...(isUsable('tls') ? { tls: resolveTls(parts.tls!, [...PATH, 'tls'], review, surroundings) } : {}),
    hosts: isUsable('hosts') ? resolveHosts(parts.hosts!, review) : [],
    origins: isUsable('origins') ? resolveOrigins(parts.origins!, review) : [],
    publicMetrics: isUsable('publicMetrics') ? parts.publicMetrics! : PLAIN_DEFAULTS.publicMetrics,
  };
}

function resolveListen(
  written: string | number | undefined,
  taken: readonly ListenConfig[],
  path: ConfigPath,
  review: Review,
): ListenConfig {
  const parsed = parseListen(written ?? PLAIN_DEFAULTS.adminListen);
  if ('fault' in parsed) {
    review.report(path, parsed.fault);
    return { host: '127.0.0.1', port: 0 };
  }
  const other = taken.find((listen) => shareAddress(listen, parsed.ok));
  if (other !== undefined) {
    review.report(path, `the proxy listens on ${authority(other)}; choose another port`);
  }
  return parsed.ok;
}

function checkOpen({ host }: ListenConfig, path: ConfigPath, review: Review): void {
  if (isLoopback(host)) return;
  const message = `without tokens everyone who reaches ${host} may do everything; add tokens, or listen on 127.0.0.1`;
  review.report(path, message);
}

function resolveTokens(raw: readonly RawToken[], review: Review, surroundings: Surroundings): TokenConfig[] {
  const names = new Set<string>();
  const values = new Map<string, number>();
  return raw.flatMap((token, index) => {
    const path = [...PATH, 'tokens', index];
    if (!review.sound(path)) return [];
    const { name, role } = token;
    if (names.has(name)) review.report([...path, 'name'], `${name} is there twice; give each token its own name`);
    if (OTHER_ACTORS.has(name)) {
      review.report([...path, 'name'], `the audit calls something else ${name}; choose another name`);
    }
    names.add(name);
    const secret = resolveSecret(token, path, review, surroundings);
    if (secret === null) return [];
    const value = secret.reveal();
    const at = [...path, token.env === undefined ? 'file' : 'env'];
    const fault = tokenFault(value);
    const twin = values.get(value);
    if (fault !== null) review.report(at, fault);
    else if (twin !== undefined) review.report(at, `holds the same token as tokens[${twin}]; give each its own`);
    else values.set(value, index);
    return [{ name, role, secret }];
  });
}

function tokenFault(value: string): string | null {
  if (!/^[\x21-\x7e]*$/.test(value)) {
    return 'the token holds spaces, line ends or characters beyond ASCII, which no client could send; write one word';
  }
  if (value.length >= SHORTEST_TOKEN) return null;
  return `the token is shorter than ${SHORTEST_TOKEN} characters and can be guessed; make one with openssl rand -hex 32`;
}

function resolveHosts(raw: readonly string[], review: Review): string[] {
  return raw.map((host, index) => {
    const isAddress = /^\[.*\]$/.test(host) && isIP(host.slice(1, -1)) === 6;
    if (!isAddress && !isHostName(host)) {
      const message = `must be a host without a port such as ops.internal, not ${shown(host)}`;
      review.report([...PATH, 'hosts', index], message);
    }
    return host.toLowerCase();
  });
}

function resolveOrigins(raw: readonly string[], review: Review): string[] {
  return raw.flatMap((written, index) => {
    const parsed = parseOrigin(written);
    if ('ok' in parsed) return [parsed.ok];
    review.report([...PATH, 'origins', index], parsed.fault);
    return [];
  });
}

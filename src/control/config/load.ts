/**
 * From the text of a configuration file to a {@link SluiceConfig}, or to every fault in it.
 *
 *     text → YAML with positions → shape (schema) → meaning (resolve-*) → configuration
 *
 * Shape and meaning are both checked in one run: a part whose shape is wrong is left out of the checks of meaning, the rest
 * goes through them. Configuration pays here so that requests only read: whatever comes out of this file needs no check later.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { ListenConfig, ServiceConfig, SluiceConfig } from '../../model/config.ts';
import { isAddressOrBlock, parseListen } from './addresses.ts';
import { readDocument } from './document.ts';
import type { Environment } from './environment.ts';
import { ConfigError } from './faults.ts';
import type { RawListen, RawService } from './raw-config.ts';
import type { RawFile } from './raw-file.ts';
import { checkCapacity } from './resolve-capacity.ts';
import { resolveMonitor } from './resolve-monitor.ts';
import { resolveRoutes } from './resolve-routes.ts';
import { resolveService } from './resolve-service.ts';
import { resolveLimits, resolveSettings } from './resolve-settings.ts';
import { FaultCollector, type Review } from './review.ts';
import { DOWNSTREAM_TIMEOUTS, PLAIN_DEFAULTS } from './settings.ts';
import { shown } from './structure.ts';

const MOST_WORKERS = 256;

/** Reads and checks the file at `path`. Throws {@link ConfigError}. */
export function loadConfigFile(path: string, env: Environment): SluiceConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([{ file: path, line: 0, column: 0, path: '', message: unreadable(error) }]);
  }
  return parseConfig(text, path, env);
}

/** Checks `text`; `file` is what faults call it. Throws {@link ConfigError}. */
export function parseConfig(text: string, file: string, env: Environment): SluiceConfig {
  const document = readDocument(text, env);
  const faults = new FaultCollector(file, document);
  let config: SluiceConfig | null = null;
  if (document.value === null) {
    faults.add(document.locate([]), [], `is empty; it needs at least listen and services`);
  } else if (document.value !== undefined) {
    faults.checkShape();
    if (isMapping(document.value)) config = resolve(document.value as unknown as RawFile, faults);
  }
  if (config === null || faults.problems.length > 0) throw new ConfigError(faults.sorted());
  return config;
}

function resolve(raw: RawFile, review: Review): SluiceConfig {
  const services = resolveServices(isMapping(raw.services) ? Object.entries(raw.services) : [], review);
  const routes = raw.routes === undefined || Array.isArray(raw.routes) ? (raw.routes ?? []) : null;
  const config: SluiceConfig = {
    listen: review.sound(['listen']) ? resolveListen(raw.listen, review) : [],
    workers: typeof raw.workers === 'number' ? raw.workers : Math.min(availableParallelism(), MOST_WORKERS),
    limits: resolveLimits(raw.limits, review),
    timeouts: resolveSettings(DOWNSTREAM_TIMEOUTS, raw.timeouts, ['timeouts'], review),
    trustedProxies: review.sound(['trustedProxies']) ? resolveTrusted(raw.trustedProxies ?? [], review) : [],
    headers: {
      forwarded: raw.headers?.forwarded ?? PLAIN_DEFAULTS.forwarded,
      via: raw.headers?.via ?? PLAIN_DEFAULTS.via,
    },
    services,
    monitor: resolveMonitor(raw.monitor, review),
    routes: routes === null ? [] : resolveRoutes(routes, services, review),
  };
  checkCapacity(config, review);
  return config;
}

function resolveServices(raw: readonly (readonly [string, RawService])[], review: Review): ServiceConfig[] {
  return raw.flatMap(([name, service]) => (isMapping(service as unknown) ? resolveService(name, service, review) : []));
}

function resolveListen(raw: RawFile['listen'], review: Review): ListenConfig[] {
  const list: readonly RawListen[] = Array.isArray(raw) ? raw : [raw as RawListen];
  const seen = new Set<string>();
  return list.flatMap((entry, index) => {
    const place = Array.isArray(raw) ? ['listen', index] : ['listen'];
    const path = typeof entry === 'object' ? [...place, 'address'] : place;
    const parsed = parseListen(typeof entry === 'object' ? entry.address : entry);
    if ('fault' in parsed) {
      review.report(path, parsed.fault);
      return [];
    }
    const { host, port } = parsed.ok;
    const address = `${host} ${port}`;
    // Port 0 asks for any free port, so that two of them are two addresses.
    if (port !== 0 && seen.has(address)) review.report(path, 'is there twice; remove one of the two');
    seen.add(address);
    return [parsed.ok];
  });
}

function resolveTrusted(raw: readonly string[], review: Review): readonly string[] {
  for (const [index, block] of raw.entries()) {
    if (isAddressOrBlock(block)) continue;
    const message = `must be an address or a CIDR block such as 10.0.0.0/8 or ::1, not ${shown(block)}`;
    review.report(['trustedProxies', index], message);
  }
  return raw;
}

function isMapping(value: unknown): value is Record<string, never> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'no such file; name the configuration with -c FILE';
  if (code === 'EACCES') return 'cannot be read: permission denied';
  if (code === 'EISDIR') return 'is a directory; name a file';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}

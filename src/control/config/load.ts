/**
 * From the texts of configuration files to a {@link SluiceConfig}, or to every fault in them.
 *
 *     texts → YAML with positions → one value (layers) → shape (schema) → meaning (resolve-*) → configuration
 *
 * Later files are laid over earlier ones (layers.ts). Shape and meaning are checked in one run, of what comes out of that: a part whose shape is
 * wrong is left out of the checks of meaning, the rest goes through them. Configuration pays here so that requests only read: whatever comes
 * out of this file needs no check later.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve as resolvePath } from 'node:path';
import type { ServiceConfig, SluiceConfig } from '../../model/config.ts';
import { readDocument } from './document.ts';
import type { Environment } from './environment.ts';
import { ConfigError, type ConfigProblem } from './faults.ts';
import { layerDocuments } from './layers.ts';
import type { RawService } from './raw-config.ts';
import type { RawFile } from './raw-file.ts';
import { resolveAccessLog } from './resolve-access-log.ts';
import { resolveAdmin } from './resolve-admin.ts';
import { checkCapacity } from './resolve-capacity.ts';
import { resolveEvents } from './resolve-events.ts';
import { checkFlagHeaders, flagNames, resolveFlags } from './resolve-flags.ts';
import { resolveListen, resolveTrusted } from './resolve-listen.ts';
import { resolveMonitor } from './resolve-monitor.ts';
import { resolveRollouts } from './resolve-rollouts.ts';
import { resolveRoutes } from './resolve-routes.ts';
import { resolveService } from './resolve-service.ts';
import { resolveLimits, resolveSettings } from './resolve-settings.ts';
import { resolveTracing } from './resolve-tracing.ts';
import { FaultCollector, type Review } from './review.ts';
import { NAME_PATTERN } from './schema-node.ts';
import { DOWNSTREAM_TIMEOUTS, PLAIN_DEFAULTS } from './settings.ts';
import { shown } from './structure.ts';
import { Surroundings } from './surroundings.ts';

const MOST_WORKERS = 256;

export interface ConfigText {
  readonly text: string;
  /** What faults call it. */
  readonly file: string;
  /** Where its relative paths begin. Default: the directory of `file`. */
  readonly directory?: string;
  /** Names of the variables that `${…}` in it may name. Default: any. */
  readonly variables?: ReadonlySet<string>;
  /** Absolute paths of the secret and TLS files that may be opened. Default: any. Where it is given, no place in the file system is looked at. */
  readonly readable?: ReadonlySet<string>;
}

export interface LoadedConfig {
  readonly config: SluiceConfig;
  /** Absolute paths of the configuration files, in the order in which they were given. */
  readonly files: readonly string[];
  /** Absolute paths of the secret and TLS files: a change of one is a change of the configuration. */
  readonly dependencies: readonly string[];
}

/** Reads the files at `paths`, lays later ones over earlier ones and checks the whole. Throws {@link ConfigError}. */
export function loadConfigFiles(paths: readonly string[], env: Environment): LoadedConfig {
  const texts: ConfigText[] = [];
  const problems: ConfigProblem[] = [];
  for (const path of paths) {
    try {
      texts.push({ text: readFileSync(path, 'utf8'), file: path });
    } catch (error) {
      problems.push({ file: path, line: 0, column: 0, path: '', message: unreadable(error) });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return parseConfigTexts(texts, env);
}

/** The same of one file. */
export const loadConfigFile = (path: string, env: Environment): SluiceConfig => loadConfigFiles([path], env).config;

/** Checks texts as if they were files; see {@link loadConfigFiles}. Throws {@link ConfigError}. */
export function parseConfigTexts(texts: readonly ConfigText[], env: Environment): LoadedConfig {
  const document = layerDocuments(texts.map(({ text, file, variables }) => readDocument(text, file, env, variables)));
  const directories = new Map(texts.flatMap(({ file, directory }) => (directory ? [[file, directory]] : [])));
  const readable = texts.find((text) => text.readable !== undefined)?.readable ?? null;
  const surroundings = new Surroundings(env, document, directories, readable);
  const faults = new FaultCollector(document);
  let config: SluiceConfig | null = null;
  if (document.value === null) {
    faults.report([], 'is empty; it needs at least listen and services');
  } else if (document.value !== undefined) {
    faults.checkShape();
    if (isMapping(document.value)) config = resolve(document.value as unknown as RawFile, faults, surroundings);
  }
  const dependencies = [...surroundings.dependencies];
  if (config === null || !faults.isEmpty) throw new ConfigError(faults.sorted(), dependencies);
  return { config, files: texts.map(({ file }) => resolvePath(file)), dependencies };
}

/** The same of one text. */
export const parseConfig = (text: string, file: string, env: Environment): SluiceConfig =>
  parseConfigTexts([{ text, file }], env).config;

function resolve(raw: RawFile, review: Review, surroundings: Surroundings): SluiceConfig {
  const listen = review.sound(['listen']) ? resolveListen(raw.listen, review) : [];
  const admin = resolveAdmin(raw.admin, listen, review, surroundings);
  const services = resolveServices(isMapping(raw.services) ? Object.entries(raw.services) : [], review);
  const routes = raw.routes === undefined || Array.isArray(raw.routes) ? (raw.routes ?? []) : null;
  const environment = resolveEnvironment(raw.environment, review, surroundings);
  const config: SluiceConfig = {
    listen,
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
    routes: routes === null ? [] : resolveRoutes(routes, services, flagNames(raw.flags), review),
    environment,
    data: resolveData(raw.data, admin !== null, review, surroundings),
    admin,
    flags: resolveFlags(raw.flags, review),
    events: resolveEvents(raw.events, review, surroundings),
    accessLog: resolveAccessLog(raw.accessLog, review, surroundings),
    tracing: resolveTracing(raw.tracing, environment, review, surroundings),
    rollouts: resolveRollouts(raw, review, surroundings),
  };
  checkCapacity(config, review);
  checkFlagHeaders(config, review);
  return config;
}

function resolveServices(raw: readonly (readonly [string, RawService])[], review: Review): ServiceConfig[] {
  return raw.flatMap(([name, service]) => (isMapping(service as unknown) ? resolveService(name, service, review) : []));
}

/** A variable that is empty counts as unset, as with `${NAME:-default}`. */
function resolveEnvironment(written: string | undefined, review: Review, { env }: Surroundings): string {
  if (written !== undefined) return written;
  const name = env.SLUICE_ENVIRONMENT ?? '';
  if (name === '') return PLAIN_DEFAULTS.environment;
  if (!new RegExp(NAME_PATTERN).test(name)) {
    review.report(
      [],
      `the environment variable SLUICE_ENVIRONMENT must be a name such as production, not ${shown(name)}`,
    );
  }
  return name;
}

function resolveData(
  written: string | undefined,
  isNeeded: boolean,
  review: Review,
  surroundings: Surroundings,
): string | null {
  if (written !== undefined && review.sound(['data'])) return surroundings.pathOf(written, ['data']);
  return isNeeded ? surroundings.beside('data') : null;
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

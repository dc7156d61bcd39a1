/**
 * A configuration as it may be shown: plain JSON, without secrets, and in a form in which two of them can be compared.
 *
 * A secret shows as where it came from. Of the address of a webhook or a collector only the origin is left where there is more, because its path
 * and its query often are the password. A header that routes write and whose name speaks of credentials shows without its value, which as a
 * rule comes from a variable; a change of it is a change all the same, that lists no difference. So do the headers of a metric that is read
 * elsewhere, those that go with spans, and the variables of a hook's program, whatever they are called: there they are nearly always
 * credentials. Nothing else is hidden: whoever reads this has to find out what runs.
 *
 * Services, versions, flags, strategies and metrics are mappings by name here, not lists, so that a difference has an address that can be read
 * (`services.shop.weights.v2`) and does not depend on the order in a file. Keys are sorted for the same reason: equal configurations are
 * equal texts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { TracingConfig } from '../../model/admin-config.ts';
import type { SluiceConfig } from '../../model/config.ts';
import type {
  HookConfig,
  HttpCheck,
  MetricProviderConfig,
  StepConfig,
  StrategyConfig,
} from '../../model/rollout-config.ts';
import type { HeaderEdits } from '../../model/route-config.ts';
import { Secret } from '../../model/secret.ts';
import type { ConfigDifference } from '../operations.ts';
import { type ConfigPath, formatPath } from './faults.ts';

type Plain = Readonly<Record<string, unknown>>;

/** Shares nothing with `config`. */
export function redactedConfig(config: SluiceConfig): unknown {
  const { services, routes, flags, monitor, events, tracing, rollouts, ...rest } = config;
  return plain({
    ...rest,
    services: byName(services.map((service) => ({ ...service, versions: byName(service.versions) }))),
    routes: routes.map((route) => ({
      ...route,
      requestHeaders: shownEdits(route.requestHeaders),
      responseHeaders: shownEdits(route.responseHeaders),
    })),
    flags: byName(flags),
    monitor: { ...monitor, webhooks: monitor.webhooks.map(shownUrl) },
    tracing: tracing === null ? null : shownTracing(tracing),
    events: { ...events, webhooks: events.webhooks.map((webhook) => ({ ...webhook, url: shownUrl(webhook.url) })) },
    strategies: byName(rollouts.strategies.map(shownStrategy)),
    metrics: byName(rollouts.metrics.map((metric) => ({ ...metric, source: shownSource(metric.source) }))),
    approvers: byName(rollouts.approvers),
    notifications: byName(rollouts.notifications.map((channel) => ({ ...channel, url: shownUrl(channel.url) }))),
  });
}

/**
 * Where two views differ, in the order of their keys. A list is compared as a whole, and so is what only one of the two has; what is missing is
 * null.
 */
export function differences(file: unknown, effective: unknown): ConfigDifference[] {
  return compare(file, effective, []);
}

function compare(file: unknown, effective: unknown, path: ConfigPath): ConfigDifference[] {
  if (isDeepStrictEqual(file, effective)) return [];
  if (!isMapping(file) || !isMapping(effective)) {
    const shown = effective ?? null;
    return [{ key: formatPath(path), file: file ?? null, override: shown, effective: shown }];
  }
  const keys = [...new Set([...Object.keys(file), ...Object.keys(effective)])].sort();
  return keys.flatMap((key) => compare(own(file, key), own(effective, key), [...path, key]));
}

/** Unlike an index, this does not find what every object inherits. */
const own = (mapping: Plain, key: string): unknown => (Object.hasOwn(mapping, key) ? mapping[key] : undefined);

const byName = (parts: readonly { readonly name: string }[]): Plain =>
  Object.fromEntries(parts.map(({ name, ...rest }) => [name, rest]));

const CREDENTIALS = /authorization|^(set-)?cookie$|token|secret|passw|api-?key/i;

function shownEdits({ set, add, remove }: HeaderEdits): HeaderEdits {
  const shown = (fields: HeaderEdits['set']): HeaderEdits['set'] =>
    fields.map(([name, value]) => [name, CREDENTIALS.test(name) ? '…' : value]);
  return { set: shown(set), add: shown(add), remove };
}

/** The same, still in the form of a strategy; `writtenStrategy` makes of it what could stand in a file. */
export function shownStrategy(strategy: StrategyConfig): StrategyConfig {
  const { steps, hooks } = strategy;
  return {
    ...strategy,
    steps: steps.map(shownStep),
    hooks: {
      start: hooks.start.map(shownHook),
      step: hooks.step.map(shownHook),
      rollback: hooks.rollback.map(shownHook),
      success: hooks.success.map(shownHook),
    },
  };
}

function shownStep(step: StepConfig): StepConfig {
  if (step.kind === 'webhook') return { ...step, url: shownUrl(step.url) };
  return step.kind === 'preflight' ? { ...step, smoke: step.smoke.map(shownCheck) } : step;
}

const shownCheck = (check: HttpCheck): HttpCheck => ({
  ...check,
  headers: shownTexts(check.headers, (name) => CREDENTIALS.test(name)),
});

function shownHook(hook: HookConfig): HookConfig {
  const { run } = hook;
  if (run.kind === 'webhook') return { ...hook, run: { ...run, url: shownUrl(run.url) } };
  return { ...hook, run: { ...run, env: shownTexts(run.env, () => true) } };
}

function shownSource(source: MetricProviderConfig['source']): MetricProviderConfig['source'] {
  const shown = { ...source, url: shownUrl(source.url) };
  return shown.kind === 'http' ? { ...shown, headers: shownTexts(shown.headers, () => true) } : shown;
}

const shownTracing = (tracing: TracingConfig): TracingConfig => ({
  ...tracing,
  endpoint: shownUrl(tracing.endpoint),
  headers: Object.fromEntries(
    Object.entries(tracing.headers).map(([name, value]) => [name, value instanceof Secret ? value : '…']),
  ),
});

const shownTexts = (
  texts: Readonly<Record<string, string>>,
  hidden: (name: string) => boolean,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, hidden(name) ? '…' : text]));

/** `https://hooks.example.com/…` */
function shownUrl(text: string): string {
  const url = new URL(text);
  const isOriginOnly =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username + url.password === '';
  return isOriginOnly ? url.origin : `${url.origin}/…`;
}

function plain(value: unknown): unknown {
  if (value instanceof Secret) return value.toJSON();
  if (Array.isArray(value)) return value.map(plain);
  if (!isMapping(value)) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, plain(part)]));
}

function isMapping(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

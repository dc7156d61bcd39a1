/**
 * Metrics that are read elsewhere: from Prometheus, or from anything that answers JSON.
 *
 * The names of a service and its versions are filled into a request, and versions are registered by API. So nothing may be filled in before the path:
 * whom Sluice asks is settled by the file alone.
 */
import { isBuiltIn } from '../../model/built-in-metrics.ts';
import type { MetricProviderConfig } from '../../model/rollout-config.ts';
import { parseWebhookUrl } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import { isReservedHeader } from './header-names.ts';
import { placeholderFault } from './placeholders.ts';
import type { RawProvider } from './raw-rollouts.ts';
import { checkFieldValue } from './resolve-route-headers.ts';
import { resolveSecret } from './resolve-secret.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { PROVIDER } from './rollout-settings.ts';
import { shown } from './structure.ts';
import type { Surroundings } from './surroundings.ts';

type Source = MetricProviderConfig['source'];

const PATH: ConfigPath = ['metrics'];
const FILLED_IN = ['service', 'version', 'stable', 'window'];

export function resolveProviders(raw: unknown, review: Review, surroundings: Surroundings): MetricProviderConfig[] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return [];
  return Object.entries(raw as Readonly<Record<string, RawProvider>>).flatMap(([name, provider]) => {
    const path = [...PATH, name];
    if (!review.sound(path)) return [];
    if (isBuiltIn(name)) {
      review.reportKey(path, `${name} is measured by the proxy itself; give the metric another name`);
    }
    const source = resolveSource(provider, path, review);
    const { token } = provider;
    const secret = token === undefined ? null : resolveSecret(token, [...path, 'token'], review, surroundings);
    if (source === null) return [];
    return { name, source, ...resolveSettings(PROVIDER, provider, path, review), token: secret?.source ?? null };
  });
}

/** Names of the metrics as written, for conditions. */
export const providerNames = (raw: unknown): readonly string[] =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? Object.keys(raw) : [];

function resolveSource({ prometheus, http }: RawProvider, path: ConfigPath, review: Review): Source | null {
  if (prometheus !== undefined && http === undefined) {
    const at = [...path, 'prometheus'];
    const url = parseWebhookUrl(prometheus.url);
    const fault = 'ok' in url && /[?#]/.test(url.ok) ? 'must not have a query; write it into query' : null;
    if ('fault' in url || fault !== null) review.report([...at, 'url'], 'fault' in url ? url.fault : fault!);
    checkPlaceholders(prometheus.query, [...at, 'query'], review);
    return { kind: 'prometheus', url: 'ok' in url ? url.ok : '', query: prometheus.query };
  }
  if (http !== undefined && prometheus === undefined) {
    const at = [...path, 'http'];
    checkUrl(http.url, [...at, 'url'], review);
    if (!/^[^.]+(\.[^.]+)*$/.test(http.path)) {
      review.report([...at, 'path'], `must be keys with dots between such as data.value, not ${shown(http.path)}`);
    }
    const headers = http.headers ?? {};
    for (const [name, value] of Object.entries(headers)) {
      const place = [...at, 'headers', name];
      if (isReservedHeader(name)) review.reportKey(place, `${name} is written by Sluice itself; remove it here`);
      checkFieldValue(value, place, review);
      checkPlaceholders(value, place, review);
    }
    return { kind: 'http', url: http.url, path: http.path, headers };
  }
  review.report(
    path,
    `must have exactly one of prometheus and http, not ${prometheus === undefined ? 'none' : 'both'}`,
  );
  return null;
}

function checkUrl(written: string, path: ConfigPath, review: Review): void {
  const origin = /^[^/]*\/\/[^/?#]*/.exec(written)?.[0] ?? '';
  if (origin.includes('{{')) {
    review.report(path, 'nothing is filled into the host; write the host, and fill in behind it');
    return;
  }
  const url = parseWebhookUrl(written.replaceAll(/\{\{[^{}]*\}\}/g, 'x'));
  if ('fault' in url) review.report(path, url.fault);
  else checkPlaceholders(written, path, review);
}

function checkPlaceholders(text: string, path: ConfigPath, review: Review): void {
  const fault = placeholderFault(text, FILLED_IN);
  if (fault !== null) review.report(path, fault);
}

/**
 * How an endpoint is, as one word, and what taking it out would mean.
 *
 * Three owners say something of it: the operator (enabled, draining, disabled), the health checks, the outlier detection. What the operator said comes first,
 * because it holds whatever the others find; then the checks, then the detection. Each word has a sign, so that it is not told by colour alone.
 */
import type { EndpointView, ServiceView } from '../../api/views.ts';

export type Condition = 'healthy' | 'unhealthy' | 'ejected' | 'draining' | 'drained' | 'disabled' | 'unavailable';

export function conditionOf({ state, healthy, ejected, available, inFlight }: EndpointView): Condition {
  if (state === 'draining') return inFlight > 0 ? 'draining' : 'drained';
  if (state === 'disabled') return 'disabled';
  if (!healthy) return 'unhealthy';
  if (ejected) return 'ejected';
  return available ? 'healthy' : 'unavailable';
}

export interface Look {
  readonly tone: 'good' | 'warn' | 'bad' | 'calm';
  readonly sign: string;
  readonly text: string;
}

export const LOOKS: Readonly<Record<Condition, Look>> = {
  healthy: { tone: 'good', sign: '✓', text: 'It takes its share.' },
  unhealthy: { tone: 'bad', sign: '✕', text: 'Its health checks fail; it gets no requests.' },
  ejected: { tone: 'bad', sign: '⏏', text: 'Outlier detection has taken it out for a while.' },
  draining: {
    tone: 'warn',
    sign: '↓',
    text: 'It gets no new requests but those of its sessions; those in flight finish.',
  },
  drained: {
    tone: 'calm',
    sign: '↓',
    text: 'Draining, and nothing is in flight: it can be stopped, but for sessions that are pinned to it.',
  },
  disabled: { tone: 'calm', sign: '–', text: 'It gets no requests; an operator said so.' },
  unavailable: { tone: 'bad', sign: '✕', text: 'It gets no requests.' },
};

/**
 * What happens to a version's traffic when this endpoint goes, one sentence; null where others of it stay available.
 */
export function lossOf(service: ServiceView, version: string, url: string): string | null {
  const { stable } = service.lanes;
  const endpoints = service.versions.find(({ name }) => name === version)?.endpoints ?? [];
  const leaves = endpoints.some((endpoint) => endpoint.url === url && endpoint.available);
  if (!leaves || endpoints.some((endpoint) => endpoint.url !== url && endpoint.available)) return null;
  return version === stable
    ? `This is the last available endpoint of ${version}, the stable version: its users will get 503 from then on.`
    : `This is the last available endpoint of ${version}: its requests will go to ${stable}.`;
}

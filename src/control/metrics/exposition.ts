/**
 * From samples to text: Prometheus' text format or OpenMetrics, whichever the scraper prefers, printed by prom-client's registry.
 *
 * A registry asks its metrics for their values and prints them. Sluice's values are in shared memory, so what is registered is not prom-client's
 * own counter but an object that knows name, help, type and samples, which is all that printing asks for. Each exposition has a registry of
 * its own: two scrapes at once do not disturb each other, and OpenMetrics' way with counters (`_total` belongs to the sample, not
 * to the metric) does not reach into the other format. Metrics without samples are left out.
 *
 * Text is made in pieces with a turn of the event loop between them, so that a scrape of tens of thousands of series holds up the control
 * plane for one piece and not for all of it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Metric, Registry, type RegistryContentType } from 'prom-client';
import type { Collect, Sample } from './sample.ts';

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly collect: Collect | (() => Promise<readonly Sample[]>);
}

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Samples that are printed in one turn of the event loop: a few milliseconds. */
const AT_ONCE = 1_000;

export async function print(families: readonly Family[], accept: string | undefined): Promise<Exposition> {
  const open = prefersOpenMetrics(accept);
  const registry = new Registry<RegistryContentType>();
  if (open) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const parts: string[] = [];
  for (const { name, help, type, collect } of families) {
    const samples = await collect();
    const printed = open && type === 'counter' ? name.replace(/_total$/, '') : name;
    let values: readonly Sample[] = [];
    const metric = { name: printed, get: async () => ({ name: printed, help, type, values }) };
    // The declared type is that of prom-client's own metrics; printing uses no more than this.
    registry.registerMetric(metric as unknown as Metric);
    for (let first = 0; first < samples.length; first += AT_ONCE) {
      values = samples.slice(first, first + AT_ONCE);
      const text = await registry.getSingleMetricAsString(printed);
      parts.push(first === 0 ? text : withoutHead(text));
      await nextTurn();
    }
  }
  if (open) parts.push('# EOF');
  return { contentType: registry.contentType, body: `${parts.join('\n')}\n` };
}

/** HELP and TYPE are a line each, and stand once per metric. */
const withoutHead = (text: string): string => text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);

const OPEN = 'application/openmetrics-text';

/** Content negotiation as in RFC 9110: the higher quality wins; OpenMetrics, where it is named and the qualities are equal. */
export function prefersOpenMetrics(accept = ''): boolean {
  const qualities = new Map<string, number>();
  for (const item of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = item.split(';').map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = q === undefined ? 1 : Number(q.slice(2)) || 0;
    qualities.set(type, Math.max(qualities.get(type) ?? 0, quality));
  }
  const open = qualities.get(OPEN) ?? 0;
  const text = qualities.get('text/plain') ?? qualities.get('text/*') ?? qualities.get('*/*') ?? 0;
  return open > 0 && open >= text;
}

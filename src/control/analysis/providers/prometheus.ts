/**
 * A value from Prometheus, or from whatever speaks its HTTP API: an instant query that gives one number.
 *
 * A vector of one sample and a scalar are numbers. An empty vector, NaN (nothing divided by nothing) and infinities (something divided by
 * nothing) are no data. Several samples are a fault and not an average of Sluice's choice: whoever wrote the query knows whether the sum or the
 * worst is meant.
 *
 * Placeholders stand in string literals of PromQL, so backslashes, quotes and line ends are escaped as they are there.
 */
import type { MetricProviderConfig } from '../../../model/rollout-config.ts';
import { type Answer, harmless, isRecord, parseJson, statusFault } from './answer.ts';
import { fillIn, type Placeholders } from './template.ts';

type PrometheusSource = Extract<MetricProviderConfig['source'], { kind: 'prometheus' }>;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/** @throws TypeError where the address is none. */
export function prometheusAddress(source: PrometheusSource, values: Placeholders): URL {
  const address = new URL(source.url);
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/api/v1/query`;
  address.searchParams.set('query', fillIn(source.query, values, escapeLiteral));
  return address;
}

const escapeLiteral = (value: string): string => value.replace(/[\\"'`\n\r]/g, (each) => ESCAPES[each] ?? `\\${each}`);

export function prometheusValue(status: number, body: string): Answer {
  const answer = parseJson(body);
  if (status < 200 || status >= 300) {
    return statusFault(status, isRecord(answer) && typeof answer.error === 'string' ? answer.error : '');
  }
  if (!isRecord(answer) || !('status' in answer))
    return { fault: 'the answer is not that of Prometheus', again: false };
  if (answer.status !== 'success')
    return { fault: `the query failed: ${harmless(String(answer.error))}`, again: false };
  const data = isRecord(answer.data) ? answer.data : {};
  if (data.resultType === 'scalar') return sampleValue(data.result);
  if (data.resultType !== 'vector' || !Array.isArray(data.result)) {
    const type = harmless(String(data.resultType));
    return { fault: `the query gives a ${type}; it must give a vector with one sample, or a scalar`, again: false };
  }
  if (data.result.length === 0) return { value: null };
  if (data.result.length > 1) {
    const fault = `the query gives ${data.result.length} series where one is needed; put sum(...), avg(...) or max(...) around it`;
    return { fault, again: false };
  }
  return sampleValue((data.result[0] as { value?: unknown } | null)?.value);
}

/** @param sample `[time, "value"]`. */
function sampleValue(sample: unknown): Answer {
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined;
  if (typeof text !== 'string' || text === '')
    return { fault: 'the answer has no value where Prometheus has it', again: false };
  const value = Number(text);
  if (Number.isFinite(value)) return { value };
  if (/^([+-]?Inf|NaN)$/.test(text)) return { value: null };
  return { fault: `the value is no number: ${harmless(text)}`, again: false };
}

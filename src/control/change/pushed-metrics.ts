/**
 * Metrics that others push: business figures and resources of a version, by name, the latest value each.
 *
 * Kept in memory only: they are readings, and whoever pushes them pushes again. The number of names is bounded per version, because each is a
 * series in Prometheus; what belongs to a version that is gone is forgotten with it.
 */
import { isBuiltIn } from '../../model/built-in-metrics.ts';
import type { SluiceConfig } from '../../model/config.ts';
import type { VersionView } from '../operations.ts';
import { type FieldFault, OperationError } from '../problems.ts';

const MOST_NAMES = 32;
const NAME = /^[a-z][a-z0-9_]{0,62}$/;

type Readings = Map<string, { readonly value: number; readonly at: string }>;

export class PushedMetrics {
  /** By service and version. */
  readonly #versions = new Map<string, Readings>();

  /** @throws OperationError invalid_request */
  push(service: string, version: string, values: Readonly<Record<string, number>>, at: string): VersionView['metrics'] {
    const known = this.#versions.get(keyOf(service, version)) ?? new Map();
    const faults = Object.entries(values).flatMap(([name, value]): FieldFault[] => {
      const message = faultOf(name, value);
      return message === null ? [] : [{ field: `/${name}`, message }];
    });
    const names = new Set([...known.keys(), ...Object.keys(values)]);
    if (names.size > MOST_NAMES) {
      const message = `${version} of ${service} would have ${names.size} pushed metrics; ${MOST_NAMES} fit`;
      faults.push({ field: '', message });
    }
    if (faults.length > 0) throw new OperationError('invalid_request', faults[0]!.message, faults);
    for (const [name, value] of Object.entries(values)) known.set(name, { value, at });
    this.#versions.set(keyOf(service, version), known);
    return Object.fromEntries(known);
  }

  of(service: string, version: string): VersionView['metrics'] {
    return Object.fromEntries(this.#versions.get(keyOf(service, version)) ?? []);
  }

  /** Forgets what belongs to no version of the configuration. */
  keep(config: SluiceConfig): void {
    const there = new Set(
      config.services.flatMap(({ name, versions }) => versions.map((version) => keyOf(name, version.name))),
    );
    for (const key of this.#versions.keys()) if (!there.has(key)) this.#versions.delete(key);
  }

  *all(): Iterable<{
    readonly service: string;
    readonly version: string;
    readonly metric: string;
    readonly value: number;
  }> {
    for (const [key, readings] of this.#versions) {
      const [service, version] = key.split('\n') as [string, string];
      for (const [metric, { value }] of readings) yield { service, version, metric, value };
    }
  }
}

const keyOf = (service: string, version: string): string => `${service}\n${version}`;

function faultOf(name: string, value: number): string | null {
  if (!NAME.test(name)) return `a metric has a name such as task_success_rate, not ${JSON.stringify(name)}`;
  // In a condition it would be taken for the one that is measured.
  if (isBuiltIn(name)) return `${name} is what Sluice measures itself; push it under another name`;
  return Number.isFinite(value) ? null : `${name} must be a number`;
}

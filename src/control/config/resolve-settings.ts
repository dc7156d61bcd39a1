/** Numbers with units: parsed, held to their bounds, and defaulted, from the table in `settings.ts`. */
import type { LimitsConfig } from '../../model/config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawConfig } from './raw-config.ts';
import type { Review } from './review.ts';
import { LIMITS, parseSetting, type Settings } from './settings.ts';
import { shown } from './structure.ts';

type Numbers<Key extends string> = { readonly [K in Key]: number };

export function resolveSettings<Key extends string>(
  settings: Settings<Key>,
  written: { readonly [K in Key]?: unknown } | undefined,
  path: ConfigPath,
  review: Review,
): Numbers<Key> {
  const numbers: Partial<Record<Key, number>> = {};
  for (const key of Object.keys(settings) as Key[]) {
    const { kind, fallback, least, most } = settings[key];
    const value = review.sound([...path, key]) ? written?.[key] : undefined;
    const number = parseSetting(kind, value ?? fallback) ?? Number.NaN;
    // A number that is not one (a size beyond 2^53 is refused by the parser) fails this test too.
    if (!(number >= parseSetting(kind, least)! && number <= parseSetting(kind, most)!)) {
      review.report([...path, key], `must be from ${least} to ${most}, not ${shown(value)}`);
    }
    numbers[key] = number;
  }
  return numbers as Numbers<Key>;
}

/** A target is part of the head, so it cannot be longer; its default gives way to a small head, a written value does not. */
export function resolveLimits(written: RawConfig['limits'], review: Review): LimitsConfig {
  const limits = resolveSettings(LIMITS, written, ['limits'], review);
  if (limits.targetLength <= limits.headSize) return limits;
  if (written?.targetLength !== undefined && review.sound(['limits'])) {
    const message = `${shown(written.targetLength)} is more than limits.headSize; lower it, or raise limits.headSize`;
    review.report(['limits', 'targetLength'], message);
  }
  return { ...limits, targetLength: limits.headSize };
}

/** Numbers with units: parsed, held to their bounds, and defaulted, from the table in `settings.ts`. */
import type { LimitsConfig } from '../../model/config.ts';
import type { ConfigPath } from './faults.ts';
import type { Written } from './raw-config.ts';
import type { Review } from './review.ts';
import { LIMITS, parseSetting, type Setting, type Settings } from './settings.ts';
import { shown } from './structure.ts';
import { isHundredths } from './units.ts';

type Numbers<Key extends string> = { readonly [K in Key]: number };

/** Every number of a table; one that is left out or has not its shape gets its default, NaN where the table has none. */
export function resolveSettings<Key extends string>(
  settings: Settings<Key>,
  written: { readonly [K in NoInfer<Key>]?: unknown } | undefined,
  path: ConfigPath,
  review: Review,
): Numbers<Key> {
  const numbers: Partial<Record<Key, number>> = {};
  for (const key of Object.keys(settings) as Key[]) {
    numbers[key] = resolveSetting(settings[key], written?.[key], [...path, key], review);
  }
  return numbers as Numbers<Key>;
}

/** One number; see {@link resolveSettings}. */
export function resolveSetting(setting: Setting, written: unknown, path: ConfigPath, review: Review): number {
  const { kind, fallback, least, most } = setting;
  if (written === undefined || !review.sound(path)) return parseSetting(kind, fallback) ?? Number.NaN;
  const number = parseSetting(kind, written) ?? Number.NaN;
  // A number that is not one (a size beyond 2^53 is refused by the parser) fails this test too.
  if (!(number >= parseSetting(kind, least)! && number <= parseSetting(kind, most)!)) {
    review.report(path, `must be from ${least} to ${most}, not ${shown(written)}`);
  } else if (kind === 'percent' && setting.fine === undefined) {
    checkHundredths(number, path, review);
  }
  return number;
}

/** Shares are counted in hundredths of a percent; a finer one would be rounded behind the user's back. */
export function checkHundredths(percent: number, path: ConfigPath, review: Review): void {
  if (isHundredths(percent)) return;
  review.report(path, `${percent} is finer than 0.01; write ${Math.round(percent * 100) / 100}`);
}

/** A target is part of the head, so it cannot be longer; its default gives way to a small head, a written value does not. */
export function resolveLimits(written: Written<LimitsConfig> | undefined, review: Review): LimitsConfig {
  const limits = resolveSettings(LIMITS, written, ['limits'], review);
  if (limits.targetLength <= limits.headSize) return limits;
  if (written?.targetLength !== undefined && review.sound(['limits'])) {
    const message = `${shown(written.targetLength)} is more than limits.headSize; lower it, or raise limits.headSize`;
    review.report(['limits', 'targetLength'], message);
  }
  return { ...limits, targetLength: limits.headSize };
}

/**
 * Sizes, durations, percentages and rates as people write them.
 *
 * A duration always carries its unit: `timeout: 30` means seconds to one reader and milliseconds to another, and guessing is
 * how a 30 ms timeout reaches production. A size may be bare, since bytes are the only reading of it; so may a percentage, and a rate,
 * which is then per second.
 */

export const SIZE_PATTERN = '^[0-9]{1,15} ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?$';
export const DURATION_PATTERN = '^[0-9]{1,10}(\\.[0-9]{1,3})?(ms|s|m|h)$';
export const PERCENT_PATTERN = '^[0-9]{1,6}(\\.[0-9]{1,6})? ?%$';
export const RATE_PATTERN = '^[0-9]{1,9}(\\.[0-9]{1,3})?/(s|m|h)$';

const SIZE = new RegExp(SIZE_PATTERN);
const DURATION = new RegExp(DURATION_PATTERN);
const PERCENT = new RegExp(PERCENT_PATTERN);
const RATE = new RegExp(RATE_PATTERN);

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3 };

/** Bytes, or null where `value` is no size. */
export function parseSize(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null;
  if (typeof value !== 'string') return null;
  const match = SIZE.exec(value);
  if (match === null) return null;
  const bytes = Number.parseInt(value, 10) * (BYTES[match[1] ?? 'B'] ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Milliseconds, rounded to whole ones, or null where `value` is no duration. */
export function parseDuration(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const match = DURATION.exec(value);
  if (match === null) return null;
  return Math.round(Number.parseFloat(value) * (MILLISECONDS[match[2] ?? 'ms'] ?? 1));
}

/** A duration as people write it, in the largest unit that it is whole in: `15m`, `90s`, `1500ms`. */
export function formatDuration(ms: number): string {
  const unit = ms === 0 ? 's' : (['h', 'm', 's'].find((name) => ms % MILLISECONDS[name]! === 0) ?? 'ms');
  return `${ms / MILLISECONDS[unit]!}${unit}`;
}

/** `50` and `50%` are both 50; null where `value` is no percentage. */
export function parsePercent(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' && PERCENT.test(value) ? Number.parseFloat(value) : null;
}

/** Per second: `100`, `100/s`, `6000/m` and `360000/h` are the same; null where `value` is no rate. */
export function parseRate(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  const unit = typeof value === 'string' ? RATE.exec(value)?.[2] : undefined;
  return unit === undefined ? null : (Number.parseFloat(String(value)) * 1e3) / MILLISECONDS[unit]!;
}

/** Whether a share has steps of 0.01, in which shares are counted. */
export const isHundredths = (percent: number): boolean => Math.abs(percent * 100 - Math.round(percent * 100)) <= 1e-6;

/**
 * Sizes and durations as people write them.
 *
 * A duration always carries its unit: `timeout: 30` means seconds to one reader and milliseconds to another, and guessing is
 * how a 30 ms timeout reaches production. A size may be bare, since bytes are the only reading of it.
 */

export const SIZE_PATTERN = '^[0-9]{1,15} ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?$';
export const DURATION_PATTERN = '^[0-9]{1,10}(\\.[0-9]{1,3})?(ms|s|m|h)$';

const SIZE = new RegExp(SIZE_PATTERN);
const DURATION = new RegExp(DURATION_PATTERN);

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

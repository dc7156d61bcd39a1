/**
 * Numbers, times and durations as people read them. What was not measured is a dash, never a nought.
 */
export const NOTHING = '–';

/** `12,345`, `1.2`, `0.03`: three figures are enough to see a difference. */
export function number(value: number | null, digits?: number): string {
  if (value === null || Number.isNaN(value)) return NOTHING;
  const size = Math.abs(value);
  const places = digits ?? (size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
  return value.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: places });
}

/** @param value per second. */
export const rate = (value: number | null): string =>
  value === null ? NOTHING : `${number(value, value < 10 ? 1 : 0)}/s`;

/** Close to 100 as exact as close to 0: 99.99 % is not all. @param value 0 to 100. */
export const percent = (value: number | null): string =>
  value === null ? NOTHING : `${number(value, value > 99 && value < 100 ? 2 : undefined)} %`;

/** @param value milliseconds of a latency. */
export function latency(value: number | null): string {
  if (value === null) return NOTHING;
  return value >= 1000 ? `${number(value / 1000, 2)} s` : `${number(value)} ms`;
}

/** `1 h 5 min`, `12 s`. @param ms milliseconds. */
export function duration(ms: number | null): string {
  if (ms === null) return NOTHING;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (ms > 0 && ms < 1000) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A duration whose parts of a second count, while they do: `858 ms`, `1.42 s`, `12 s`. @param ms milliseconds. */
export const exactly = (ms: number): string => (ms < 10_000 ? latency(Math.round(ms)) : duration(ms));

/** `3 min ago`. */
export const ago = (iso: string, now: number): string => {
  const passed = now - Date.parse(iso);
  return passed < 2_000 ? 'now' : `${duration(passed)} ago`;
};

export const clock = (iso: string): string =>
  new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const date = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', {
    ...{ year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  });

/**
 * Times as the access log writes them. Putting a date together costs as much as the rest of a line, and within a second only the
 * milliseconds change, so the rest is kept.
 *
 * Times come in as milliseconds since 1970. A clock that is set back is followed.
 */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `000` to `999`. */
export const THREE_DIGITS: readonly string[] = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'));

const two = (value: number): string => String(value).padStart(2, '0');

export class LogTime {
  #second = Number.NaN;
  #text = '';
  readonly #write: (date: Date) => string;

  /** @param style `iso` is UTC with milliseconds, `common` the local time of the combined format. */
  constructor(style: 'iso' | 'common') {
    this.#write = style === 'iso' ? isoSecond : commonSecond;
  }

  /** `2026-03-01T09:05:07.042Z` */
  iso(ms: number): string {
    const second = Math.floor(ms / 1000);
    return `${this.#of(second)}${THREE_DIGITS[Math.floor(ms - second * 1000)]}Z`;
  }

  /** `01/Mar/2026:10:05:07 +0100` */
  common(ms: number): string {
    return this.#of(Math.floor(ms / 1000));
  }

  #of(second: number): string {
    if (second === this.#second) return this.#text;
    this.#second = second;
    this.#text = this.#write(new Date(second * 1000));
    return this.#text;
  }
}

const isoSecond = (date: Date): string => date.toISOString().slice(0, 20);

function commonSecond(date: Date): string {
  const east = -date.getTimezoneOffset();
  const off = Math.abs(east);
  const zone = `${east < 0 ? '-' : '+'}${two(Math.floor(off / 60))}${two(off % 60)}`;
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  return `${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

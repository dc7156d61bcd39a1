/**
 * What a preflight has found, line by line, for people.
 *
 * Every check has its line: `passed  smoke test home GET / at http://127.0.0.1:3003: status 200 in 12 ms`. With many endpoints and many tests
 * the lines become too many to be kept with the rollout; then those that failed go first, and the rest is a number.
 */
import { plainLine } from './plain-text.ts';

export const MOST_LINES = 100;

export class PreflightReport {
  readonly #lines: { readonly ok: boolean; readonly text: string }[] = [];

  add(ok: boolean, text: string): void {
    this.#lines.push({ ok, text: plainLine(text) });
  }

  get count(): number {
    return this.#lines.length;
  }

  /** Null where everything has passed. */
  get firstFailure(): string | null {
    return this.#lines.find(({ ok }) => !ok)?.text ?? null;
  }

  get failures(): number {
    return this.#lines.filter(({ ok }) => !ok).length;
  }

  text(): string {
    const whole = this.#lines.length <= MOST_LINES;
    const order = whole ? this.#lines : [...this.#lines].sort((a, b) => Number(a.ok) - Number(b.ok));
    const shown = order.slice(0, MOST_LINES).map(({ ok, text }) => `${ok ? 'passed' : 'FAILED'}  ${text}`);
    const left = order.slice(MOST_LINES);
    if (left.length > 0) shown.push(`and ${left.length} more, ${left.filter(({ ok }) => !ok).length} of them failed`);
    return shown.join('\n');
  }
}

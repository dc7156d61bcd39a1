/**
 * Data as JSON, to be read by people: indented, and cut where it would be longer than anybody reads.
 */
import type { JSX } from 'preact';

const MOST = 20_000;

export function JsonText({ value, label }: { readonly value: unknown; readonly label: string }): JSX.Element {
  const text = JSON.stringify(value, null, 2) ?? 'nothing';
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls by itself cannot be read to its end with the keyboard otherwise.
    <section class="json-text" tabIndex={0} aria-label={label}>
      <pre>{text.length <= MOST ? text : `${text.slice(0, MOST)}\n… ${text.length - MOST} characters more`}</pre>
    </section>
  );
}

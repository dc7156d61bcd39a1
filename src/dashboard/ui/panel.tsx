/**
 * A titled box of a view, and the small pieces that are in many of them. The title is a heading and names the box, so that a screen reader can go from one to the
 * next; a tone colours the whole box for what must not be overlooked.
 */
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

export interface PanelProps {
  readonly title: ComponentChildren;
  /** At the right of the title. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly tone?: 'bad' | 'warn' | 'good';
  readonly class?: string;
}

export function Panel({ title, aside, children, tone, class: extra = '' }: PanelProps): JSX.Element {
  const id = useId();
  return (
    <section class={`panel ${tone === undefined ? '' : `tone-${tone}`} ${extra}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div class="panel-aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** A view that has nothing else: what is missing is its heading. */
export const Missing = ({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element => (
  <div class="empty">
    <h1>{title}</h1>
    <p>{children}</p>
  </div>
);

export const Empty = ({ children }: { readonly children: ComponentChildren }): JSX.Element => (
  <p class="empty">{children}</p>
);

export const Failure = ({ message }: { readonly message: string }): JSX.Element => (
  <p class="failure" role="alert">
    {message}
  </p>
);

export interface FigureProps {
  readonly label: string;
  readonly value: string;
  /** Beside the value, smaller. */
  readonly note?: ComponentChildren;
  readonly tone?: 'bad' | 'warn' | 'good' | undefined;
  readonly title?: string;
}

/** One number with its name. */
export const Figure = ({ label, value, note, tone, title }: FigureProps): JSX.Element => (
  <div class="figure" title={title}>
    <dt>{label}</dt>
    <dd class={tone === undefined ? '' : `text-${tone}`}>
      {value}
      {note !== undefined && <small>{note}</small>}
    </dd>
  </div>
);

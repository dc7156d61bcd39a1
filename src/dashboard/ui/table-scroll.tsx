/**
 * A table that may be wider than the page: it scrolls by itself, so that the page never does.
 *
 * What scrolls must be reached by the keyboard. Not every browser sees to that, so it is in the order of Tab where there is something to scroll, and only there.
 */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface TableScrollProps {
  /** What the table has, for those who do not see it. */
  readonly label: string;
  readonly children: ComponentChildren;
  readonly class?: string;
}

export function TableScroll({ label, children, class: extra = '' }: TableScrollProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const watch = new ResizeObserver(() =>
      setScrolls(current.scrollWidth > current.clientWidth || current.scrollHeight > current.clientHeight),
    );
    watch.observe(current);
    if (current.firstElementChild !== null) watch.observe(current.firstElementChild);
    return () => watch.disconnect();
  }, []);
  return (
    <div
      ref={box}
      class={`table-scroll ${extra}`}
      {...(scrolls && { role: 'region', 'aria-label': label, tabIndex: 0 })}
    >
      {children}
    </div>
  );
}

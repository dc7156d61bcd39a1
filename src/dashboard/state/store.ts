/**
 * One value that views look at: read it, replace it, be told when it was replaced.
 *
 * Values are never changed in place, so that "has it changed" is one comparison. The dashboard renders once a second whatever happens, and a page of it is a
 * few hundred elements: a library for state would save nothing that anybody could see.
 */
import { useEffect, useState } from 'preact/hooks';

export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** @returns what ends it. */
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(first: T): Store<T> {
  let value = first;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value; whoever calls this is rendered anew when it is replaced. */
export function useStore<T>(store: Store<T>): T {
  const [, render] = useState<unknown>(null);
  useEffect(() => {
    const seen = store.get();
    const stop = store.subscribe(() => render(store.get()));
    // It may have been replaced between the first look and the subscription.
    if (!Object.is(seen, store.get())) render(store.get());
    render(store.get());
    return stop;
  }, [store]);
  return store.get();
}

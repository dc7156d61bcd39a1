/**
 * Data that a view asks for once, and again when something says that it may have changed.
 *
 *     loading ─answer─▶ data ─key or version changed─▶ data, asked again behind it
 *        └─failure─▶ failure
 *
 * What is there stays on the page while it is asked for again; an answer that was overtaken by a later question is dropped.
 */
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Loaded<T> {
  /** Null until the first answer. */
  readonly data: T | null;
  /** Why the last question was not answered, null where it was. */
  readonly failure: string | null;
}

/** @param key what is asked for; another key begins anew. @param version asked again when it changes. */
export function useLoaded<T>(load: () => Promise<T>, key: string, version: unknown = null): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly key: string }>({ key, data: null, failure: null });
  const latest = useRef(0);
  useEffect(() => {
    latest.current += 1;
    const mine = latest.current;
    load().then(
      (data) => mine === latest.current && setLoaded({ key, data, failure: null }),
      (error: unknown) => {
        if (mine !== latest.current) return;
        const failure = error instanceof Error ? error.message : String(error);
        setLoaded((before) => ({ key, data: before.key === key ? before.data : null, failure }));
      },
    );
    return () => {
      latest.current += 1;
    };
  }, [key, version]);
  return loaded.key === key ? loaded : { data: null, failure: null };
}

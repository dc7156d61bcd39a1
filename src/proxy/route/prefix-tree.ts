/**
 * Finds all keys that a path begins with, the longest first, without touching the others: a radix tree.
 *
 * An edge carries the characters that all keys below it share, so that a path is compared once, from left to right, however many keys there
 * are; a walk ends at the first character that no key has. Each node that holds a value points to the next shorter one, so the
 * walk need not remember its way.
 *
 * Rejected: a Map that is asked for every segment boundary of the path. It cannot find keys that end within a segment, as literal prefixes of
 * regular expressions do, and it hashes the path once per slash, which a client can make thousands.
 *
 * @hotpath bench/micro/routes.ts
 */

export interface PrefixNode<V> {
  /** Characters from the node above to this one. */
  label: string;
  /** By the first character of their label. */
  children: Map<number, PrefixNode<V>> | null;
  value: V | null;
  /** Length of the key, from the root to here. */
  length: number;
  /** The node with the longest key that holds a value and is a proper prefix of this one. */
  shorter: PrefixNode<V> | null;
}

export class PrefixTree<V> {
  readonly #root: PrefixNode<V> = { label: '', children: null, value: null, length: 0, shorter: null };

  constructor(values: ReadonlyMap<string, V>) {
    // Shorter keys first: then whatever a new key continues is in the tree already, and no later key ends within an edge.
    const keys = Array.from(values.keys()).sort((a, b) => a.length - b.length);
    for (const key of keys) this.#insert(key, values.get(key)!);
  }

  #insert(key: string, value: V): void {
    let node = this.#root;
    let pos = 0;
    let shorter: PrefixNode<V> | null = null;
    while (pos < key.length) {
      if (node.value !== null) shorter = node;
      node.children ??= new Map();
      const next = node.children.get(key.charCodeAt(pos));
      if (next === undefined) {
        const leaf = { label: key.slice(pos), children: null, value, length: key.length, shorter };
        node.children.set(key.charCodeAt(pos), leaf);
        return;
      }
      const shared = sharedLength(next.label, key, pos);
      node = shared === next.label.length ? next : split(node, next, shared);
      pos += shared;
    }
    node.value = value;
  }

  /** The longest key with a value that `path` begins with; the shorter ones hang behind it. */
  longest(path: string): PrefixNode<V> | null {
    let node = this.#root;
    let found = node.value === null ? null : node;
    let pos = 0;
    while (node.children !== null && pos < path.length) {
      const next = node.children.get(path.charCodeAt(pos));
      if (next === undefined || !path.startsWith(next.label, pos)) break;
      node = next;
      pos = next.length;
      if (node.value !== null) found = node;
    }
    return found;
  }
}

function sharedLength(label: string, key: string, pos: number): number {
  let shared = 0;
  while (shared < label.length && label.charCodeAt(shared) === key.charCodeAt(pos + shared)) shared++;
  return shared;
}

/** Puts a node without a value between `above` and `below`, at `shared` characters of the edge. */
function split<V>(above: PrefixNode<V>, below: PrefixNode<V>, shared: number): PrefixNode<V> {
  const middle: PrefixNode<V> = {
    label: below.label.slice(0, shared),
    children: new Map([[below.label.charCodeAt(shared), below]]),
    value: null,
    length: above.length + shared,
    shorter: null,
  };
  below.label = below.label.slice(shared);
  above.children!.set(middle.label.charCodeAt(0), middle);
  return middle;
}

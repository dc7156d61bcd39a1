/**
 * Finds all keys that a path begins with, the longest first, without touching the others: a radix tree.
 *
 * An edge carries the characters that all keys below it share, so that a path is compared once, from left to right, however many keys there
 * are; a walk ends at the first character that no key has. Each node that holds a value points to the next shorter one, so the
 * walk need not remember its way.
 *
 * Most nodes of most tables have one child, which needs no map: with thousands of hosts what a look-up costs is the memory that it has to fetch.
 *
 * Rejected: a Map that is asked for every segment boundary of the path. It cannot find keys that end within a segment, as literal prefixes of
 * regular expressions do, and it hashes the path once per slash, which a client can make thousands.
 *
 * @hotpath bench/micro/routes.ts
 */

export interface PrefixNode<V> {
  /** Characters from the node above to this one. */
  label: string;
  /** The only child, or null where there are none or several. */
  only: PrefixNode<V> | null;
  /** Where there are several: by the first character of their label. */
  children: Map<number, PrefixNode<V>> | null;
  value: V | null;
  /** Length of the key, from the root to here. */
  length: number;
  /** The node with the longest key that holds a value and is a proper prefix of this one. */
  shorter: PrefixNode<V> | null;
}

export class PrefixTree<V> {
  readonly #root: PrefixNode<V> = newNode<V>('', null, 0, null);

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
      const next = childAt(node, key.charCodeAt(pos));
      if (next === null) {
        addChild(node, newNode(key.slice(pos), value, key.length, shorter));
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
    while (pos < path.length) {
      const next: PrefixNode<V> | null = node.only ?? childAt(node, path.charCodeAt(pos));
      if (next === null || !path.startsWith(next.label, pos)) break;
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
  const middle = newNode<V>(below.label.slice(0, shared), null, above.length + shared, null);
  below.label = below.label.slice(shared);
  addChild(middle, below);
  if (above.only !== null) above.only = middle;
  else above.children!.set(middle.label.charCodeAt(0), middle);
  return middle;
}

const newNode = <V>(label: string, value: V | null, length: number, shorter: PrefixNode<V> | null): PrefixNode<V> => ({
  label,
  only: null,
  children: null,
  value,
  length,
  shorter,
});

/** The child whose label begins with this character. */
function childAt<V>(node: PrefixNode<V>, first: number): PrefixNode<V> | null {
  if (node.only !== null) return node.only.label.charCodeAt(0) === first ? node.only : null;
  return node.children?.get(first) ?? null;
}

function addChild<V>(node: PrefixNode<V>, child: PrefixNode<V>): void {
  if (node.only === null && node.children === null) {
    node.only = child;
    return;
  }
  node.children ??= new Map([[node.only!.label.charCodeAt(0), node.only!]]);
  node.only = null;
  node.children.set(child.label.charCodeAt(0), child);
}

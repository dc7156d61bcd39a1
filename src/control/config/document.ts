/**
 * A YAML text as a plain value that still knows where each part of it was written.
 *
 * The value is what the rest of the loader works on; positions are looked up by path, and only when there is a fault to
 * report. Environment references are expanded in the node tree before the value is taken from it, so that a reference in a
 * comment or a key is left alone and an alias is expanded once.
 *
 * A syntax error ends the reading (`value` is then undefined), since what follows from a misread file are faults that nobody made.
 * A repeated key, a bad reference or a missing variable does not: the rest is still worth checking.
 *
 * A key is the text that was written: `1.10` is a name like `v1.10`, where YAML would make the number 1.1 of it. Values keep the types of YAML's
 * core schema, and no others: a tag such as `!!omap` would make something that looks like a mapping and is none.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { type Environment, expandEnvironment } from './environment.ts';
import { type ConfigPath, MOST_FAULTS } from './faults.ts';

export interface Position {
  /** As it was named to {@link readDocument}. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface DocumentFault {
  readonly position: Position;
  readonly path: ConfigPath;
  readonly message: string;
  /** A value stands at the path all the same, and can be checked. */
  readonly harmless: boolean;
}

export interface ConfigDocument {
  /** Those that it was read from. */
  readonly files: readonly string[];
  /** Undefined where it could not be read, null where there is nothing in it. */
  readonly value: unknown;
  /** At most MOST_FAULTS. */
  readonly faults: readonly DocumentFault[];
  /** How many there are besides. */
  readonly moreFaults: number;
  /** Where the value at `path` was written: a scalar itself, a mapping or list by its key. The nearest parent where there is none. */
  locate(path: ConfigPath): Position;
  /** Where the last key of `path` was written. */
  locateKey(path: ConfigPath): Position;
}

type Ancestors = readonly unknown[];

/** Of one file. Each is looked up and its value walked again, so that more of them make a small file a large one. */
const MOST_ALIASES = 1_000;

/** @param allowed names of the variables that it may read; null: all. */
export function readDocument(
  text: string,
  file: string,
  env: Environment,
  allowed: ReadonlySet<string> | null = null,
): ConfigDocument {
  const lineCounter = new LineCounter();
  // The parser would compare every key with all before it.
  const doc = parseDocument(text, {
    ...{ lineCounter, prettyErrors: false, merge: true, logLevel: 'error', resolveKnownTags: false, uniqueKeys: false },
  });
  const faults: DocumentFault[] = [];
  let moreFaults = 0;
  const at = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (node: unknown, path: () => ConfigPath, message: string, harmless = false): void => {
    const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    if (faults.length === MOST_FAULTS) moreFaults++;
    else faults.push({ position: at(offset), path: path(), message, harmless });
  };
  const locateNode = (path: ConfigPath, wanted: 'key' | 'value'): Position => at(offsetOf(doc, path, wanted));
  const document = (value: unknown): ConfigDocument => ({
    files: [file],
    value,
    faults,
    moreFaults,
    locate: (path) => locateNode(path, 'value'),
    locateKey: (path) => locateNode(path, 'key'),
  });

  const syntax = [...doc.errors, ...doc.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (syntax.length > 0) {
    const lines = new Set<number>();
    for (const error of syntax) {
      const position = at(error.pos[0]);
      // The first error of a line is the mistake; the others, and tokens that no longer fit, are what the parser made of it.
      if (lines.has(position.line) || (lines.size > 0 && error.code === 'UNEXPECTED_TOKEN')) continue;
      lines.add(position.line);
      if (lines.size > MOST_FAULTS) continue;
      const message = syntaxMessage(error.code, error.message, lineOf(text, position.line));
      faults.push({ position, path: [], message, harmless: false });
    }
    moreFaults = lines.size - faults.length;
    return document(undefined);
  }

  let readable = true;
  let aliases = 0;
  const repeated = new Set<Pair>();
  // Of the nodes so far. An alias could be asked whether it leads anywhere, but each would walk the document for it.
  const anchors = new Set<string>();
  visit(doc, {
    Collection(_, node) {
      if (node.anchor !== undefined) anchors.add(node.anchor);
      if (isMap(node)) for (const pair of repeatedKeys(node)) repeated.add(pair);
    },
    Pair(_, pair, ancestors) {
      const { key } = pair;
      if (isMap(key) || isSeq(key)) {
        readable = false;
        report(key, () => [], 'a key must be a plain name');
      } else if (repeated.has(pair)) {
        report(key, () => pathOf(ancestors, pair), 'this key is there twice; keep one of the two', true);
      }
      if (isScalar(key) && !isMergeKey(key)) key.value = writtenKey(key);
    },
    Alias(_, alias, ancestors) {
      const path = (): ConfigPath => pathOf(ancestors, alias);
      if (++aliases > MOST_ALIASES) {
        readable = false;
        report(alias, path, `more than ${MOST_ALIASES} aliases; write out what they stand for, or use several files`);
        return visit.BREAK;
      }
      if (!anchors.has(alias.source)) {
        report(alias, path, `no anchor &${alias.source} before this alias; define it further up`);
      }
      return undefined;
    },
    Scalar(key, scalar, ancestors) {
      if (scalar.anchor !== undefined) anchors.add(scalar.anchor);
      if (key === 'key' || typeof scalar.value !== 'string' || !scalar.value.includes('$')) return;
      const { text: expanded, faults: messages } = expandEnvironment(scalar.value, env, allowed);
      for (const message of messages) report(scalar, () => pathOf(ancestors, scalar), message);
      scalar.value = scalar.type === Scalar.PLAIN && expanded !== scalar.value ? plainValue(expanded) : expanded;
    },
  });
  if (!readable) return document(undefined);
  try {
    return document(doc.toJS({ maxAliasCount: MOST_ALIASES }));
  } catch (error) {
    // Aliases again: unresolved ones, already reported above, or so many that the value would fill the memory.
    if (faults.length === 0) report(null, () => [], error instanceof Error ? error.message : String(error));
    return document(undefined);
  }
}

/** Those pairs of a mapping whose key another has before them. */
function repeatedKeys(map: YAMLMap): Pair[] {
  const seen = new Set<string>();
  return (map.items as Pair[]).filter(({ key }) => {
    if (!isScalar(key) || isMergeKey(key)) return false;
    const text = writtenKey(key);
    const isRepeated = seen.has(text);
    seen.add(text);
    return isRepeated;
  });
}

function syntaxMessage(code: string, message: string, line: string): string {
  if (line.includes('${')) return `${message}; inside [ ] or { } put quotes around a value with \${…}`;
  if (code === 'TAB_AS_INDENT') return 'tabs cannot indent YAML; use spaces';
  if (/call stack|stack overflow/i.test(message)) return 'nested too deeply to be read';
  if (code === 'MULTIPLE_DOCS') return 'a second YAML document begins here; a configuration is one document';
  return `not valid YAML: ${message}`;
}

function lineOf(text: string, line: number): string {
  return text.split('\n', line)[line - 1] ?? '';
}

/** An unquoted value is read as YAML would have read it, had the variable's text been written in its place. */
function plainValue(text: string): string | number | boolean {
  if (/^[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(text)) return Number(text);
  return text === 'true' || (text === 'false' ? false : text);
}

/** The path of the node or pair whose ancestors, outermost first, are given. */
function pathOf(ancestors: Ancestors, last: unknown): ConfigPath {
  const chain = [...ancestors, last];
  const path: (string | number)[] = [];
  for (const [depth, parent] of chain.entries()) {
    const child = chain[depth + 1];
    if (isSeq(parent)) path.push(parent.items.indexOf(child));
    else if (isMap(parent) && child !== undefined) path.push(keyText(child as Pair));
  }
  return path;
}

/** A key that is no scalar has been reported, and has no text: that of nested ones would grow beyond all bounds. */
function keyText(pair: Pair): string {
  return isScalar(pair.key) ? writtenKey(pair.key) : '?';
}

/** The parser gives `<<` a value that no written key can have. */
const isMergeKey = (key: Scalar): boolean => typeof key.value === 'symbol';

function writtenKey(key: Scalar): string {
  if (isMergeKey(key)) return '<<';
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function offsetOf(doc: Document, path: ConfigPath, wanted: 'key' | 'value'): number {
  let node: unknown = doc.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(doc);
    if (isMap(node)) {
      const pair = findPair(doc, node, String(step));
      if (pair === undefined) return offset;
      offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      if (!isNode(node)) return offset;
      offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  if (wanted === 'key' || !isNode(node)) return offset;
  const written: Node = node;
  return isScalar(written) && written.source !== '' ? (written.range?.[0] ?? offset) : offset;
}

/** Also looks into what `<<` merges in, since a merged value's fault lies where the value was written. */
function findPair(doc: Document, map: YAMLMap, key: string): Pair | undefined {
  const own = map.items.findLast((pair) => keyText(pair) === key);
  if (own !== undefined) return own;
  for (const pair of map.items) {
    if (keyText(pair) !== '<<') continue;
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
    for (const source of sources) {
      const merged = isAlias(source) ? source.resolve(doc) : source;
      const found = isMap(merged) ? findPair(doc, merged, key) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

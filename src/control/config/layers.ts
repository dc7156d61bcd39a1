/**
 * Several documents as one: each is laid over those before it, and what comes out still knows who wrote which part.
 *
 *     mapping over mapping   merged key by key, all the way down
 *     anything else          replaces what was below it; a list is replaced as a whole
 *     null (`~`)             takes the key away that was below it
 *
 * Lists are not merged, because there is no telling whether an entry is meant to be added or to replace one. A null over nothing stays and is
 * reported like any other, so that a mistyped key does not quietly take away nothing. A document with nothing in it changes nothing, which
 * is what a commented-out overlay should do.
 *
 * Beside the value grows a tree of origins: of each mapping that was merged, and of each of its keys, the last document that wrote it. A
 * fault is looked up in the document that wrote the faulty part; one of a merged mapping as a whole, a missing key for instance, in the last
 * document that touched it, since that one completes or breaks what was good before. The same idea as JSON Merge Patch (RFC 7396), with
 * positions.
 */
import type { ConfigDocument } from './document.ts';
import type { ConfigPath } from './faults.ts';

interface Origin {
  /** Who wrote it; of a merged mapping, who wrote to it last. */
  readonly document: ConfigDocument;
  /** Null where all of it is from the document. */
  readonly keys: ReadonlyMap<string, Origin> | null;
}

interface Layer {
  readonly value: unknown;
  readonly origin: Origin;
}

/** @param documents at least one, the lowest first. */
export function layerDocuments(documents: readonly ConfigDocument[]): ConfigDocument {
  const last = documents.at(-1)!;
  if (documents.length === 1) return last;
  const unreadable = documents.some((document) => document.value === undefined);
  const { value, origin } = unreadable ? whole(undefined, last) : layered(documents);
  return {
    files: documents.flatMap((document) => document.files),
    value,
    faults: documents.flatMap((document) => document.faults),
    moreFaults: documents.reduce((sum, document) => sum + document.moreFaults, 0),
    locate: (path) => writerOf(origin, path).locate(path),
    locateKey: (path) => writerOf(origin, path).locateKey(path),
  };
}

const whole = (value: unknown, document: ConfigDocument): Layer => ({ value, origin: { document, keys: null } });

function layered(documents: readonly ConfigDocument[]): Layer {
  const written = documents.filter((document) => document.value !== null);
  const misfit = written.find((document) => !isMapping(document.value));
  if (misfit !== undefined) return whole(misfit.value, misfit);
  const [lowest = documents.at(-1)!, ...others] = written;
  return others.reduce((lower, document) => lay(document.value, document, lower), whole(lowest.value, lowest));
}

function lay(value: unknown, document: ConfigDocument, lower: Layer): Layer {
  if (!isMapping(value) || !isMapping(lower.value)) return whole(value, document);
  const values = new Map(Object.entries(lower.value));
  const keys = new Map([...values.keys()].map((key) => [key, originOf(lower.origin, key)]));
  for (const [key, over] of Object.entries(value)) {
    const below = keys.get(key);
    if (below !== undefined && over === null) {
      values.delete(key);
      keys.delete(key);
      continue;
    }
    const part =
      below === undefined ? whole(over, document) : lay(over, document, { value: values.get(key), origin: below });
    values.set(key, part.value);
    keys.set(key, part.origin);
  }
  // Unlike an assignment, this also takes a key called `__proto__` for a key.
  return { value: Object.fromEntries(values), origin: { document, keys } };
}

const originOf = (origin: Origin, key: string): Origin =>
  origin.keys?.get(key) ?? { document: origin.document, keys: null };

function writerOf(origin: Origin, path: ConfigPath): ConfigDocument {
  let writer = origin;
  for (const step of path) {
    const next = writer.keys?.get(String(step));
    if (next === undefined) break;
    writer = next;
  }
  return writer.document;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

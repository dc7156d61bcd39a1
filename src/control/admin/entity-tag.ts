/**
 * Entity tags and the preconditions on them (RFC 9110, 8.8.3 and 13.1).
 *
 * The control plane gives a state an opaque word; on the wire it is quoted. If-Match compares strongly, so a weak tag never matches there; If-None-Match
 * compares weakly, so `W/"a"` and `"a"` are the same. `*` stands for any state.
 */
export type TagList = '*' | readonly { readonly weak: boolean; readonly tag: string }[];

const TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

export const quoted = (etag: string): string => `"${etag}"`;

/** Null where the field is none. Elements may be empty, as in all lists of HTTP. */
export function parseTags(field: string): TagList | null {
  if (field.trim() === '*') return '*';
  const parts = splitList(field);
  const tags = parts.map((part) => TAG.exec(part));
  if (tags.length === 0 || tags.some((match) => match === null)) return null;
  return tags.map((match) => ({ weak: match?.[1] !== undefined, tag: match?.[2] ?? '' }));
}

/** A comma may be part of a tag. */
function splitList(field: string): string[] {
  return (field.match(/(?:"[^"]*"|[^,"])+/g) ?? []).map((part) => part.trim()).filter((part) => part !== '');
}

export const matchesStrongly = (tags: TagList, etag: string): boolean =>
  tags === '*' || tags.some(({ weak, tag }) => !weak && tag === etag);

export const matchesWeakly = (tags: TagList, etag: string): boolean =>
  tags === '*' || tags.some(({ tag }) => tag === etag);

/**
 * The part of the schema that says what identifies the user of a request.
 *
 * That exactly one of the ways is written is left to `resolveKey`: the schema's own words for it would be one fault per way.
 */
import { cookieName, group, headerName, type SchemaNode, switchedOn, text } from './schema-node.ts';

/** The ways to name a key. */
export const keyProperties: Readonly<Record<'header' | 'cookie' | 'query' | 'ip', SchemaNode>> = {
  header: headerName('The header whose value is the key.'),
  cookie: cookieName('The cookie whose value is the key.'),
  query: text('the name of a query parameter such as user', 'The query parameter whose value is the key.'),
  ip: switchedOn("The client's address is the key."),
};

/** A key source: `{ header: X-User-Id }`, `{ cookie: uid }`, `{ query: user }` or `{ ip: true }`. */
export const keySchema = (description: string): SchemaNode => ({
  ...group(description, keyProperties),
  title: 'a key such as {header: X-User-Id}, {cookie: uid}, {query: user} or {ip: true}',
});

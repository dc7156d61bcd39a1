/** The keys of the schema, and rows of a Markdown table for them, for `docs/config-reference.md`. */
import type { SchemaNode } from '../../src/control/config/schema-node.ts';

export interface Key {
  readonly path: string;
  readonly node: SchemaNode;
  readonly required: boolean;
}

/** What stands for "any name" under a mapping that has names as keys. */
const NAMES: Readonly<Record<string, string>> = {
  services: '<service>',
  'services.<service>.versions': '<version>',
  'services.<service>.split.weights': '<version>',
  'services.<service>.split.values': '<value>',
  'services.<service>.experiments[].weights': '<version>',
  'routes[].match.headers': '<header>',
  'routes[].match.query': '<parameter>',
  'routes[].match.flags': '<flag>',
  flags: '<flag>',
  'flags.<flag>.environments': '<environment>',
  strategies: '<strategy>',
  'strategies.<strategy>.steps[].preflight.smoke[].headers': '<header>',
  'strategies.<strategy>.hooks.start[].env': '<variable>',
  'strategies.<strategy>.hooks.step[].env': '<variable>',
  'strategies.<strategy>.hooks.rollback[].env': '<variable>',
  'strategies.<strategy>.hooks.success[].env': '<variable>',
  metrics: '<metric>',
  'metrics.<metric>.http.headers': '<header>',
  'tracing.headers': '<header>',
  'routes[].requestHeaders.set': '<header>',
  'routes[].requestHeaders.add': '<header>',
  'routes[].responseHeaders.set': '<header>',
  'routes[].responseHeaders.add': '<header>',
};

/** Every key of the schema in its order, parents before children. */
export function schemaKeys(node: SchemaNode, path = ''): Key[] {
  const keys: Key[] = [];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const childPath = path === '' ? name : `${path}.${name}`;
    keys.push({ path: childPath, node: child, required: node.required?.includes(name) ?? false });
    keys.push(...schemaKeys(child, childPath));
  }
  if (typeof node.additionalProperties === 'object') {
    const childPath = `${path}.${NAMES[path] ?? '<name>'}`;
    keys.push({ path: childPath, node: node.additionalProperties, required: false });
    keys.push(...schemaKeys(node.additionalProperties, childPath));
  }
  if (node.items !== undefined) keys.push(...schemaKeys(node.items, `${path}[]`));
  return keys;
}

export function referenceRows(keys: readonly Key[]): string {
  const rows = keys.map(({ path, node, required }) => {
    const fallback = node.default === undefined ? (required ? 'required' : '') : code(node.default);
    return `| \`${path}\` | ${typeOf(node)} | ${fallback} | ${node.description ?? ''} |`;
  });
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function typeOf(node: SchemaNode): string {
  if (node.title !== undefined) return node.title.replace(/^an? /, '').replace(/ (such as|of 1 to) .*$/, '');
  return node.type === 'object' ? 'mapping' : String(node.type);
}

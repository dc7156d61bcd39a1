/**
 * `docs/config-reference.md`: every key of the configuration, in tables by section, made from the schema.
 *
 * A table of five hundred rows finds nobody anything, so each part of the file that has a page of its own has a table of its own, with a link to
 * that page. Keys are written in full in every row, because that is what `sluice check` says and what people search for.
 */
import type { SchemaNode } from '../../src/control/config/schema-node.ts';
import { type Key, referenceRows, schemaKeys } from '../config/reference-table.ts';
import { slugOf } from './markdown.ts';

/** The pages that explain a section. A section without is told of in configuration.md only. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  General: ['configuration.md', 'state.md', 'headers.md'],
  limits: ['limits-and-timeouts.md'],
  timeouts: ['limits-and-timeouts.md'],
  headers: ['headers.md'],
  services: ['configuration.md', 'traffic-splitting.md'],
  'services: versions': ['configuration.md', 'balancing.md'],
  'services: lanes': ['traffic-splitting.md'],
  'services: split': ['traffic-splitting.md'],
  'services: experiments': ['traffic-splitting.md'],
  'services: override': ['traffic-splitting.md'],
  'services: affinity': ['session-affinity.md'],
  'services: balance': ['balancing.md'],
  'services: health': ['health.md'],
  'services: outlier': ['health.md'],
  'services: retry': ['retries.md'],
  'services: shield': ['retries.md'],
  'services: hedge': ['retries.md'],
  'services: circuit': ['circuit-breakers.md'],
  'services: rateLimit': ['rate-limits.md'],
  'services: timeouts': ['limits-and-timeouts.md'],
  'services: pool': ['limits-and-timeouts.md'],
  monitor: ['monitoring.md'],
  routes: ['routing.md', 'rate-limits.md', 'fault-injection.md'],
  flags: ['feature-flags.md'],
  strategies: ['strategies.md'],
  'strategies: steps': ['strategies.md', 'conditions.md', 'preflight.md', 'hooks.md'],
  'strategies: evidence': ['evidence.md'],
  'strategies: rollbackWhen': ['conditions.md'],
  'strategies: gradual': ['rollback.md'],
  'strategies: hooks': ['hooks.md'],
  'strategies: approvals': ['approvals.md', 'risk.md'],
  'strategies: freeze': ['strategies.md'],
  'strategies: healthScore': ['conditions.md'],
  metrics: ['conditions.md'],
  approvers: ['approvals.md'],
  notifications: ['notifications.md'],
  admin: ['access.md', 'admin-api.md'],
  events: ['events.md'],
  accessLog: ['access-log.md'],
  tracing: ['tracing.md'],
};

/** Mappings of names whose entries are long enough to be divided. */
const DIVIDED = new Set(['services', 'strategies']);

const GENERAL = 'General';

/** Sections in the order of the schema, the keys that stand alone first. */
export function sectionsOf(schema: SchemaNode): ReadonlyMap<string, readonly Key[]> {
  const keys = schemaKeys(schema);
  const parts = keys.map(({ path }) => path.replaceAll('[]', '').split('.'));
  const sizes = new Map<string, number>();
  const finest = parts.map(([top = '', , part]) => (DIVIDED.has(top) && part !== undefined ? `${top}: ${part}` : top));
  for (const name of finest) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  const sections = new Map<string, Key[]>([[GENERAL, []]]);
  keys.forEach((key, at) => {
    const [top = ''] = parts[at] ?? [];
    const own = finest[at] ?? top;
    const alone = own === top && (sizes.get(own) ?? 0) <= 2 && !DIVIDED.has(top);
    const name = alone ? GENERAL : (sizes.get(own) ?? 0) === 1 ? top : own;
    sections.set(name, [...(sections.get(name) ?? []), key]);
  });
  return sections;
}

export function configReference(schema: SchemaNode): string {
  const sections = [...sectionsOf(schema)];
  const contents = sections.map(([name]) => `[${name}](#${slugOf(name)})`).join(' · ');
  const parts = sections.map(([name, keys]) => {
    const told = (PAGES[name] ?? []).map((page) => `[${page.replace('.md', '')}](${page})`).join(', ');
    return [`## ${name}`, ...(told === '' ? [] : [`Explained in ${told}.`]), referenceRows(keys)].join('\n\n');
  });
  return `# Every key of the configuration

Made from the schema by \`npm run schema\`; do not edit. How a file is written, with examples, is told in [configuration](configuration.md).
\`<service>\`, \`<version>\` and the like stand for names, \`[]\` for each entry of a list. Editors read the same from
[sluice.schema.json](../config/sluice.schema.json).

${contents}

${parts.join('\n\n')}
`;
}

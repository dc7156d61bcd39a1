/**
 * `docs/api-reference.md`: every call of the admin API, made from the OpenAPI document that a running Sluice serves.
 *
 * It is made from the document and not from the descriptions behind it, so that a reader of either has the same before them. Fields of fields
 * are written as paths (`errors[].field`) in one table per schema, and schemas with a name are told once, at the end. Each call has a line
 * of curl that the test tries; its names are those of the demo.
 */

import { packageVersion } from '../../src/cli/package-version.ts';
import { CALLS } from '../../src/control/admin/call-list.ts';
import { openApiDocument } from '../../src/control/admin/openapi.ts';
import { compactJson } from './compact-json.ts';
import { slugOf } from './markdown.ts';

const ADDRESS = 'http://127.0.0.1:9901';

/** What stands for `{name}` in the examples: what the demo has. */
const NAMES: Readonly<Record<string, string>> = {
  service: 'demo',
  version: 'v3',
  rollout: 'demo-1',
  strategy: 'standard',
  flag: 'new-checkout',
  notification: '118',
};

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
}

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly headers?: Readonly<Record<string, { readonly description: string }>>;
        readonly content?: Readonly<Record<string, Media & { readonly examples?: Readonly<Record<string, unknown>> }>>;
      }
    >
  >;
  readonly 'x-roles': readonly string[];
}

interface Document {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface ApiExample {
  readonly id: string;
  readonly command: string;
}

interface DocumentedCall extends ApiExample {
  readonly title: string;
  readonly operation: Operation;
}

const PROBLEM = 'application/problem+json';

const document = openApiDocument(CALLS, packageVersion()) as unknown as Document;

const calls: readonly DocumentedCall[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    id: operation.operationId,
    title: `${method.toUpperCase()} ${path}`,
    operation,
    command: curlOf(method.toUpperCase(), path, operation),
  })),
);

/** An answer of each schema, by its name. */
const examples: ReadonlyMap<string, unknown> = new Map(
  calls.flatMap(({ operation }) =>
    Object.values(operation.responses).flatMap(({ content }) => {
      const { schema, example } = content?.['application/json'] ?? {};
      return schema?.$ref === undefined || example === undefined ? [] : [[nameIn(schema.$ref), example] as const];
    }),
  ),
);

export const apiExamples: readonly ApiExample[] = calls;

export function apiReference(): string {
  const parts = document.tags.map(({ name, description }) => {
    const own = calls.filter(({ operation }) => operation.tags.includes(name));
    return `## ${name}\n\n${description}.\n\n${own.map(callText).join('\n\n')}`;
  });
  const contents = document.tags.map(({ name, description }) => {
    const own = calls.filter(({ operation }) => operation.tags.includes(name));
    const rows = own.map(({ title, operation }) => `| [\`${title}\`](#${slugOf(title)}) | ${operation.summary} |`);
    return `**${description}**\n\n| call | |\n|---|---|\n${rows.join('\n')}`;
  });
  const schemas = Object.entries(document.components.schemas)
    .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([name, schema]) => {
      const example = examples.get(name);
      return `### ${schemaTitle(name)}\n\n${fieldTable(schema)}${example === undefined ? '' : `\n\n${folded(example)}`}`;
    });
  return `# Every call of the admin API

Made from \`/openapi.json\` by \`npm run docs\`; do not edit. How the calls work together, reasons, entity tags and problems are told in
[the admin API](admin-api.md), tokens and roles in [access](access.md). Where tokens are configured, add
\`-H "Authorization: Bearer $TOKEN"\`. The examples name what \`npm start\` runs; a rollout or a notification has to be there first.

${contents.join('\n\n')}

${parts.join('\n\n')}

## Schemas

${schemas.join('\n\n')}
`;
}

function callText({ title, operation, command }: DocumentedCall): string {
  const roles = operation['x-roles'];
  const parts = [
    `### ${title}`,
    `${operation.summary}.${operation.description === undefined ? '' : ` ${operation.description}`}`,
    `May be called by ${roles.length === 0 ? 'anyone' : roles.join(', ')}. Its \`operationId\` is \`${operation.operationId}\`.`,
    `\`\`\`sh\n${command}\n\`\`\``,
  ];
  if (operation.parameters.length > 0) parts.push(parameterTable(operation.parameters));
  const { requestBody } = operation;
  if (requestBody !== undefined) {
    const schema = requestBody.content['application/json']?.schema ?? {};
    const others = Object.keys(requestBody.content).filter((type) => type !== 'application/json');
    const forms = others.length === 0 ? '' : `, or as text: ${others.map((type) => `\`${type}\``).join(', ')}`;
    parts.push(`**Body**${requestBody.required ? '' : ', which may be left out'}${forms}`, fieldTable(schema));
  }
  const answers = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
  parts.push('**Answers**', ...answers.map(([status, answer]) => answerText(status, answer)));
  const problems = Object.values(operation.responses).flatMap(({ content }) =>
    Object.keys(content?.[PROBLEM]?.examples ?? {}),
  );
  parts.push(`**Problems**: ${problems.map((code) => `\`${code}\``).join(', ')}.`);
  return parts.join('\n\n');
}

function answerText(
  status: string,
  { description, headers = {}, content = {} }: Operation['responses'][string],
): string {
  const fields = Object.entries(headers)
    .filter(([name]) => name !== 'x-request-id')
    .map(([name, { description: text }]) => ` \`${name}\`: ${text}`);
  const forms = Object.entries(content).filter(([type]) => type !== PROBLEM);
  const kinds = forms.map(([type, { schema }]) => (type === 'application/json' ? typeText(schema) : `\`${type}\``));
  const head = `- \`${status}\` ${[...new Set(kinds)].join(', or ')}${kinds.length === 0 ? '' : ': '}${description}${fields.join('')}`;
  const { schema, example } = content['application/json'] ?? {};
  // What has a name is shown once, with its schema.
  return example === undefined || schema?.$ref !== undefined ? head : `${head}\n\n${folded(example)}`;
}

const folded = (example: unknown): string =>
  `<details><summary>Example</summary>\n\n\`\`\`json\n${compactJson(example)}\n\`\`\`\n\n</details>`;

function parameterTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map(
    (each) =>
      `| \`${each.name}\` | ${each.in} | ${typeText(each.schema)} | ${each.required ? 'required' : ''} | ${each.description ?? ''} |`,
  );
  return ['| parameter | in | type | | meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
}

/** Fields of an object, those of objects in it behind them. */
function fieldsOf(schema: Schema, path = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const own = path === '' ? name : `${path}.${name}`;
    const required = schema.required?.includes(name) ?? false;
    return [{ path: own, schema: child, required }, ...insideOf(child, own)];
  });
}

function insideOf(schema: Schema, path: string): Field[] {
  const inner = schema.anyOf?.find(({ type }) => type === 'object' || type === 'array') ?? schema;
  if (inner.properties !== undefined) return fieldsOf(inner, path);
  if (inner.items !== undefined) return insideOf(inner.items, `${path}[]`);
  return [];
}

function fieldTable(schema: Schema): string {
  const whole = typeText(schema);
  const fields = [...fieldsOf(schema), ...(schema.items === undefined ? [] : insideOf(schema.items, '[]'))];
  if (fields.length === 0)
    return `${whole.charAt(0).toUpperCase()}${whole.slice(1)}. ${schema.description ?? ''}`.trim();
  const rows = fields.map(
    ({ path, schema: each, required }) =>
      `| \`${path}\` | ${typeText(each)} | ${required ? 'required' : ''} | ${(each.description ?? '').replaceAll('|', '\\|')} |`,
  );
  return ['| field | type | | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function nameIn(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

const schemaTitle = (name: string): string => `${name} (schema)`;

function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) return `[${nameIn(schema.$ref)}](#${slugOf(schemaTitle(nameIn(schema.$ref)))})`;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  if (schema.items !== undefined) return `list of ${typeText(schema.items)}`;
  if (schema.title !== undefined && /^[a-z]/.test(schema.title)) {
    return schema.title
      .replace(/^an? /, '')
      .replace(/ such as .*$/, '')
      .replaceAll('|', '\\|');
  }
  const value =
    typeof schema.additionalProperties === 'object'
      ? schema.additionalProperties
      : Object.values(schema.patternProperties ?? {})[0];
  if (value !== undefined) return `${typeText(value)} by name`;
  if (schema.type === undefined) return 'any';
  return typeof schema.type === 'string' ? schema.type : schema.type.join(' or ');
}

function curlOf(method: string, path: string, operation: Operation): string {
  const address = ADDRESS + path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => NAMES[name] ?? whole);
  const query = operation.parameters.filter(({ in: place, required }) => place === 'query' && required);
  const search = query.map(({ name }) => `${name}=${NAMES[name] ?? name}`).join('&');
  const options = method === 'GET' ? [] : [`-X ${method}`];
  // A stream has no end to wait for.
  const answers = Object.keys(operation.responses['200']?.content ?? {});
  if (answers.includes('text/event-stream')) options.push("-H 'Accept: application/json'");
  const body = operation.requestBody?.content['application/json']?.example;
  if (body !== undefined) {
    options.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`);
  }
  const url = search === '' ? address : `'${address}?${search}'`;
  return ['curl -s', ...options, url].join(' ');
}

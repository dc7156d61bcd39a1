/**
 * Structure: does the value have the shape that the schema asks for?
 *
 * ajv says what is wrong in the schema's terms ("must match pattern …"); here that becomes what a person can act on. The
 * `title` of the schema node completes "must be …"; an unknown key gets the nearest known one, or "not supported yet" where
 * the key is a planned one.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { ConfigPath, Message } from './faults.ts';
import { nameHint, nearestName } from './nearest-name.ts';
import { configSchema } from './schema.ts';
import { NAME_PATTERN, type SchemaNode, wordsOf } from './schema-node.ts';

export interface StructureFault {
  readonly path: ConfigPath;
  readonly message: Message;
  /** The fault is the key at the end of the path, not its value. */
  readonly atKey: boolean;
  /** What cannot be relied on because of it; null where everything that is known still has its shape. */
  readonly spoils: ConfigPath | null;
}

/** Keys that the design has and this release has not, by the path of the mapping they belong to; `*` is any step. */
const PLANNED: Readonly<Record<string, readonly string[]>> = {
  'listen.*': ['tls', 'proxyProtocol'],
};

const compiled = new Map<SchemaNode, ValidateFunction>();

/** @param schema default: that of the whole file. */
export function checkStructure(value: unknown, schema: SchemaNode = configSchema): readonly StructureFault[] {
  const validate = compiled.get(schema) ?? compile(schema);
  if (validate(value)) return [];
  // A faulty name comes twice: as `propertyNames`, and as the fault of the name itself.
  const errors = (validate.errors ?? []).filter((error) => error.propertyName === undefined);
  return errors.map((error) => faultOf(error, value));
}

/** It takes longer than most checks do, so it is done once. */
function compile(schema: SchemaNode): ValidateFunction {
  const validate = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(schema);
  compiled.set(schema, validate);
  return validate;
}

function faultOf(error: ErrorObject, root: unknown): StructureFault {
  const path = pathOfPointer(error.instancePath, root);
  const schema = error.parentSchema as SchemaNode;
  const fault = (message: Message): StructureFault => ({ path, message, atKey: false, spoils: path });
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty);
      const message = (): string => unknownKey(path, key, Object.keys(schema.properties ?? {}));
      return { path: [...path, key], message, atKey: true, spoils: null };
    }
    case 'propertyNames': {
      const key = String(error.params.propertyName);
      const message = `must be ${schema.propertyNames?.title ?? 'a name'}`;
      return { path: [...path, key], message, atKey: true, spoils: [...path, key] };
    }
    case 'required': {
      const key = String(error.params.missingProperty);
      return { path, message: `${key} is missing; add it`, atKey: false, spoils: [...path, key] };
    }
    case 'minItems':
    case 'minProperties':
      return fault('is empty; add at least one entry');
    case 'pattern':
      return fault(() => wordMessage(error.data, schema) ?? valueMessage(error.data, schema));
    default:
      return fault(valueMessage(error.data, schema));
  }
}

function unknownKey(path: ConfigPath, key: string, known: readonly string[]): string {
  const planned = Object.entries(PLANNED).find(([pattern]) => matches(path, pattern))?.[1] ?? [];
  if (planned.includes(key)) return 'not supported yet; remove it';
  const guess = nearestName(key, known);
  return guess === null ? `unknown key; known here: ${known.join(', ')}` : `unknown key; did you mean ${guess}?`;
}

function matches(path: ConfigPath, pattern: string): boolean {
  const steps = pattern === '' ? [] : pattern.split('.');
  return steps.length === path.length && steps.every((step, index) => step === '*' || step === path[index]);
}

/** What is said about a word that is not in a closed vocabulary; null where the node is none. */
function wordMessage(value: unknown, schema: SchemaNode): string | null {
  const known = wordsOf(schema);
  if (known === null || typeof value !== 'string') return null;
  return `no ${known.noun} ${value === '' ? '""' : value}; ${nameHint(value, known.words)}`;
}

function valueMessage(value: unknown, schema: SchemaNode): string {
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  const wanted = schema.title ?? (types.includes('array') ? 'a list' : 'a mapping of keys to values');
  if (value === null) return `has no value; it must be ${wanted}, or be left out`;
  if (schema.writeOnly) return `must be ${wanted}; it is not shown here, as it may be a secret`;
  if (typeof value === 'number' && wanted.startsWith('a duration')) {
    return `must be ${wanted}, not ${value}: write ${value}s for seconds or ${value}ms for milliseconds`;
  }
  const bare = schema.pattern === NAME_PATTERN && (typeof value === 'number' || typeof value === 'boolean');
  return `must be ${wanted}, not ${shown(value)}${bare ? '; put quotes around it' : ''}`;
}

export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  // JSON has no words for infinity and for what is no number.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** A JSON pointer names list entries like keys; the value itself tells which is which. */
function pathOfPointer(pointer: string, root: unknown): ConfigPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Record<string, unknown> | null)?.[key];
  }
  return path;
}

/**
 * Path, query and body against the schemas of a call; every fault of all three is told at once.
 *
 * ajv says what is wrong in the schema's terms; here that becomes the field and what to do about it. The `title` of a schema node
 * completes "must be …". Of alternatives (`anyOf`) ajv tells the faults of every branch: those of branches of the wrong type
 * are left out, and where that leaves none the alternatives' own title speaks. Bodies are taken as they are, since a weight of "90" is a
 * mistake to be told; path and query are text by nature, so there "12" is the number 12.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { nearestName } from '../config/nearest-name.ts';
import type { FieldFault } from '../problems.ts';

export type Part = 'path' | 'query' | 'body';

/** @returns the faults, empty where there are none; numbers in path and query have been made numbers in place. */
export type Check = (value: unknown) => readonly FieldFault[];

const OPTIONS = { allErrors: true, verbose: true, strict: false } as const;
const bodies = new Ajv(OPTIONS);
const texts = new Ajv({ ...OPTIONS, coerceTypes: true });

export function compileCheck(part: Part, schema: TSchema): Check {
  const validate: ValidateFunction = (part === 'body' ? bodies : texts).compile(schema);
  return (value) => (validate(value) ? [] : faultsOf(part, validate.errors ?? []));
}

function faultsOf(part: Part, errors: readonly ErrorObject[]): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const error of telling(errors)) {
    const fault = faultOf(part, error);
    if (!faults.some(({ field, message }) => field === fault.field && message === fault.message)) faults.push(fault);
  }
  return faults;
}

/** Without what only says that an alternative was not taken. */
function telling(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const dropped = new Set<ErrorObject>();
  for (const choice of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    const branches = errors.filter((error) => isBranchOf(error, choice));
    const ofType = branches.filter((error) => !missesType(error, choice.instancePath));
    const wrongType = new Set(
      branches.filter((error) => missesType(error, choice.instancePath)).map((error) => branchOf(error, choice)),
    );
    const kept = ofType.filter((error) => !wrongType.has(branchOf(error, choice)));
    for (const error of branches) if (!kept.includes(error)) dropped.add(error);
    if (kept.length > 0 && typeof choice.data === 'object') dropped.add(choice);
    else for (const error of kept) dropped.add(error);
  }
  // A name that does not fit is told by its own pattern, and again as `propertyNames`.
  return errors.filter((error) => !dropped.has(error) && error.propertyName === undefined);
}

const missesType = (error: ErrorObject, at: string): boolean =>
  ['type', 'const', 'enum'].includes(error.keyword) && error.instancePath === at;

const isBranchOf = (error: ErrorObject, choice: ErrorObject): boolean =>
  error.schemaPath.startsWith(`${choice.schemaPath}/`) &&
  `${error.instancePath}/`.startsWith(`${choice.instancePath}/`);

const branchOf = (error: ErrorObject, choice: ErrorObject): string =>
  error.schemaPath.slice(choice.schemaPath.length + 1).split('/', 1)[0] ?? '';

function faultOf(part: Part, error: ErrorObject): FieldFault {
  const schema = error.parentSchema as {
    title?: string;
    enum?: readonly unknown[];
    properties?: Readonly<Record<string, unknown>>;
    propertyNames?: { title?: string };
  };
  const fault = (message: string, key?: string): FieldFault => ({ field: fieldName(part, error, key), message });
  const known = Object.keys(schema.properties ?? {});
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
      const guess = nearestName(key, known);
      const hint =
        guess !== null ? `did you mean ${guess}?` : known.length > 0 ? `known: ${known.join(', ')}` : 'leave it out';
      return fault(`is unknown; ${hint}`, key);
    }
    case 'propertyNames':
      return fault(`must be ${schema.propertyNames?.title ?? 'a name'}`, String(error.params.propertyName));
    case 'required':
      return fault('is missing; add it', String(error.params.missingProperty));
    case 'minProperties':
    case 'minItems':
      return fault('is empty; add at least one entry');
    case 'maxProperties':
    case 'maxItems':
      return fault(`has too many entries; ${error.params.limit} are the most`);
    case 'enum': {
      const words = (schema.enum ?? []).map(String);
      const guess = typeof error.data === 'string' ? nearestName(error.data, words) : null;
      const hint = guess === null ? '' : `; did you mean ${guess}?`;
      return fault(`must be one of ${words.join(', ')}, not ${shown(error.data)}${hint}`);
    }
    default:
      return fault(`must be ${schema.title ?? wantedType(error)}, not ${shown(error.data)}`);
  }
}

function wantedType(error: ErrorObject): string {
  const wanted = error.params.type === undefined ? '' : String(error.params.type);
  return wanted === '' ? `right: it ${error.message ?? 'is not'}` : `${/^[aeio]/.test(wanted) ? 'an' : 'a'} ${wanted}`;
}

function fieldName(part: Part, error: ErrorObject, key?: string): string {
  const own = key === undefined ? '' : `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const pointer = `${error.instancePath}${own}`;
  return part === 'body' ? pointer : `${part}:${pointer.slice(1)}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/**
 * Schema nodes that come again and again. The `title` of a node that a client fills in completes "must be …" in the message about it.
 *
 * Numbers of answers have no bounds: what the control plane measured is not for the API to doubt.
 */
import { type TProperties, type TSchema, Type } from 'typebox';
import { NAME_PATTERN } from '../../config/schema-node.ts';
import { DURATION_PATTERN } from '../../config/units.ts';

export const closed = <P extends TProperties>(properties: P, options: Readonly<Record<string, unknown>> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

export const words = <W extends string>(...names: readonly W[]) => Type.Unsafe<W>({ type: 'string', enum: names });

export const nameOf = (what: string) =>
  Type.String({ title: `the name of ${what}`, pattern: NAME_PATTERN, description: `Name of ${what}.` });

export const time = Type.String({ format: 'date-time' });

export const milliseconds = (description: string) => Type.Number({ description: `${description}, milliseconds.` });

export const duration = (description: string) =>
  Type.String({ title: 'a duration such as 250ms, 30s, 5m or 1h', pattern: DURATION_PATTERN, description });

export const reason = Type.String({
  title: 'a text of 1 to 500 characters',
  minLength: 1,
  maxLength: 500,
  description: 'Why; kept in the audit.',
});

/** Names that users give to numbers. */
export const numbersByName = (options: {
  readonly title: string;
  readonly what: string;
  readonly most?: number;
  readonly names?: string;
  readonly nameTitle?: string;
  readonly entries?: number;
}) =>
  Type.Unsafe<Record<string, number>>({
    type: 'object',
    title: 'an object of names and numbers',
    description: options.what,
    minProperties: 1,
    maxProperties: options.entries ?? 64,
    propertyNames: {
      type: 'string',
      title: options.nameTitle ?? 'the name of a version or a lane',
      pattern: options.names ?? NAME_PATTERN,
    },
    additionalProperties: {
      type: 'number',
      title: options.title,
      ...(options.most !== undefined && { minimum: 0, maximum: options.most }),
    },
  });

export const percentByName = (description: string) => Type.Record(Type.String(), Type.Number(), { description });

export const why = closed({ reason: Type.Optional(reason) });

export const ofService = closed({ service: nameOf('a service') });

export const ofVersion = closed({ service: nameOf('a service'), version: nameOf('a version') });

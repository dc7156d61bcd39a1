/**
 * What the schema is made of: the part of JSON Schema used here, and builders for the nodes that come again and again.
 *
 * Two habits serve the messages: every leaf has a `title` that completes "must be …", and alternatives are type unions with keywords
 * per type rather than `anyOf`, which ajv answers with one fault per branch.
 */
import type { Setting, Settings } from './settings.ts';
import { DURATION_PATTERN, PERCENT_PATTERN, SIZE_PATTERN } from './units.ts';

/** The part of JSON Schema used here. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly enum?: readonly (string | boolean)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly minProperties?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly propertyNames?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
  /** It may be a secret, or somebody may have taken it for the place of one, so no message repeats it. */
  readonly writeOnly?: boolean;
  readonly $schema?: string;
}

export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$";

const NAME_TITLE = 'a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit';

/** One number of the settings table. */
export function settingSchema(setting: Setting): SchemaNode {
  const shared = {
    description: setting.meaning,
    ...(setting.fallback === undefined ? {} : { default: setting.fallback }),
  };
  switch (setting.kind) {
    case 'size':
      return {
        type: ['string', 'integer'],
        title: 'a size such as 16KiB, 1MiB, 10MB or a number of bytes',
        ...shared,
        pattern: SIZE_PATTERN,
        minimum: 0,
      };
    case 'duration':
      return {
        type: 'string',
        title: 'a duration such as 250ms, 10s, 5m or 1h',
        ...shared,
        pattern: DURATION_PATTERN,
      };
    case 'percent':
      return {
        type: ['number', 'string'],
        title: `a percentage from ${setting.least} to ${setting.most}`,
        ...shared,
        pattern: PERCENT_PATTERN,
        minimum: Number(setting.least),
        maximum: Number(setting.most),
      };
    case 'count': {
      const { least, most } = setting;
      return {
        type: 'integer',
        title: `a whole number from ${least} to ${most}`,
        ...shared,
        minimum: Number(least),
        maximum: Number(most),
      };
    }
    case 'factor':
    case 'number':
      return {
        type: 'number',
        title: `a number from ${setting.least} to ${setting.most}`,
        ...shared,
        minimum: Number(setting.least),
        maximum: Number(setting.most),
      };
  }
}

export function group(description: string, properties: Readonly<Record<string, SchemaNode>>): SchemaNode {
  return { type: 'object', description, additionalProperties: false, properties };
}

export function settingProperties(settings: Settings): Record<string, SchemaNode> {
  return Object.fromEntries(Object.entries(settings).map(([key, setting]) => [key, settingSchema(setting)]));
}

export function settingsGroup(description: string, settings: Settings): SchemaNode {
  return group(description, settingProperties(settings));
}

const NAMES: SchemaNode = { type: 'string', title: NAME_TITLE, pattern: NAME_PATTERN };

/** A mapping whose keys are names that the user gives. */
export function named(description: string, value: SchemaNode): SchemaNode {
  return { type: 'object', description, minProperties: 1, propertyNames: NAMES, additionalProperties: value };
}

export const name = (description: string): SchemaNode => ({ ...NAMES, description });

export const headerName = (description: string): SchemaNode => ({
  type: 'string',
  title: 'a header name such as X-Canary-Deploy',
  description,
  pattern: TOKEN_PATTERN,
});

export const cookieName = (description: string): SchemaNode => ({
  type: 'string',
  title: 'a cookie name such as canary',
  description,
  pattern: TOKEN_PATTERN,
});

export const text = (title: string, description: string): SchemaNode => ({
  type: 'string',
  title,
  description,
  minLength: 1,
});

export const list = (title: string, description: string, items: SchemaNode): SchemaNode => ({
  type: 'array',
  title,
  description,
  minItems: 1,
  items,
});

export const flag = (description: string, fallback: boolean): SchemaNode => ({
  type: 'boolean',
  title: 'true or false',
  description,
  default: fallback,
});

/** A flag that only `true` can be written for: leaving it out is the other choice. */
export const switchedOn = (description: string): SchemaNode => ({
  type: 'boolean',
  title: 'true',
  description,
  enum: [true],
});

/** One word of a closed vocabulary. The pattern stands in for `enum`, which would not admit other types beside the words. */
export const choice = (noun: string, words: readonly string[], description: string): SchemaNode => ({
  type: 'string',
  title: `${noun}: ${words.join(', ')}`,
  description,
  pattern: `^(${words.join('|')})$`,
});

/** The words of a {@link choice}, and what they are called; null where the node is none. */
export function wordsOf(node: SchemaNode): { readonly noun: string; readonly words: readonly string[] } | null {
  const words = /^\^\(([^()]*)\)\$$/.exec(node.pattern ?? '')?.[1]?.split('|');
  const noun = /^an? ([a-z ]+):/.exec(node.title ?? '')?.[1];
  return words === undefined || noun === undefined ? null : { noun, words };
}

/**
 * The part of the schema that says which feature flags there are, and which of them a route asks for.
 */
import { keySchema } from './schema-key.ts';
import { headerName, named, type SchemaNode } from './schema-node.ts';
import { PERCENT_PATTERN } from './units.ts';

/** `on` and `off` are words to YAML, and text to JSON; `"true"` is what a variable of the environment gives. */
const SWITCH = 'on|off|true|false';

const share = (description: string): SchemaNode => ({
  type: ['boolean', 'string', 'number'],
  title: 'on, off or a percentage from 0 to 100',
  description,
  pattern: `^(${SWITCH})$|${PERCENT_PATTERN}`,
  minimum: 0,
  maximum: 100,
});

/** `{new-checkout: on, old-thing: off}` */
export const flagMatchSchema: SchemaNode = {
  type: 'object',
  description: 'Feature flags by name, all of which must be as given for the user.',
  additionalProperties: {
    type: ['boolean', 'string'],
    title: 'on or off',
    description: 'Whether the flag must be on or off.',
    pattern: `^(${SWITCH})$`,
  },
};

const flag: SchemaNode = {
  type: ['boolean', 'string', 'number', 'object'],
  title: 'on, off, a percentage from 0 to 100, or a mapping of default, environments, key and header',
  description: 'For whom the flag is on: `on`, `off`, or a mapping of what is below.',
  pattern: share('').pattern!,
  minimum: 0,
  maximum: 100,
  additionalProperties: false,
  properties: {
    default: { ...share('`on`, `off` or the percentage of the users for whom it is on.'), default: 'off' },
    environments: named('What holds instead, by the name of the `environment`.', share('As `default`.')),
    key: keySchema('Who a user is; needed for percentages.'),
    header: headerName('The request header in which services are told `true` or `false`.'),
  },
};

export const flagsSchema: SchemaNode = named('Feature flags, by name.', flag);

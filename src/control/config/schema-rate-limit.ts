/**
 * The part of the schema that says how many requests a service or a route takes; both have the same shape, so there is one node.
 */
import { keySchema } from './schema-key.ts';
import { group, type SchemaNode, settingSchema } from './schema-node.ts';
import { RATE_LIMIT } from './settings.ts';
import { RATE_PATTERN } from './units.ts';

export const rateLimitSchema: SchemaNode = {
  ...group('Most requests per second, over all workers; more are answered with 429 and `Retry-After`.', {
    rate: {
      type: ['number', 'string'],
      title: 'a rate such as 100 (per second), 100/s, 6000/m or 1/h',
      description: 'Requests per second, or per minute (`/m`) or hour (`/h`).',
      pattern: RATE_PATTERN,
      exclusiveMinimum: 0,
    },
    burst: settingSchema(RATE_LIMIT.burst),
    key: keySchema('One limit per value of the key instead of one for all; requests without the key share one.'),
  }),
  required: ['rate'],
};

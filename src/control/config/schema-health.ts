/**
 * The part of the schema that says when an endpoint is used: active checks, which ask it, and ejection, which watches how it answers.
 */
import { group, type SchemaNode, settingProperties, settingsGroup, switchedOn, text } from './schema-node.ts';
import { HEALTH, OUTLIER, PLAIN_DEFAULTS, SUCCESS_RATE } from './settings.ts';

const status = (types: readonly string[], title: string): SchemaNode => ({
  type: types,
  title,
  pattern: '^[2-5][0-9]{2}-[2-5][0-9]{2}$',
  minimum: 200,
  maximum: 599,
});

export const healthSchema: SchemaNode = group(
  'Active checks of every endpoint; `{}` turns them on with all defaults.',
  {
    path: {
      ...text('a path that begins with "/"', 'What is asked for with GET.'),
      default: PLAIN_DEFAULTS.healthPath,
    },
    tcp: switchedOn('Only connects, instead of asking for a path.'),
    host: text('a host such as shop.internal', "The probe's `Host`. Default: the endpoint's address."),
    status: {
      ...status(['integer', 'string', 'array'], 'a status from 200 to 599, a range such as 200-299, or a list of both'),
      description: 'The statuses of a healthy endpoint.',
      default: PLAIN_DEFAULTS.healthStatus,
      minItems: 1,
      items: status(['integer', 'string'], 'a status from 200 to 599, or a range such as 200-299'),
    },
    body: text('a text', 'What the first 64KiB of the answer must contain.'),
    ...settingProperties(HEALTH),
  },
);

export const outlierSchema: SchemaNode = group(
  'Ejects endpoints for how they answer users; `{}` turns it on with all defaults.',
  {
    ...settingProperties(OUTLIER),
    successRate: settingsGroup(
      'Ejects endpoints whose success rate lies far below that of the others of their version.',
      SUCCESS_RATE,
    ),
  },
);

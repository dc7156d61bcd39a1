/**
 * The part of the schema that says what is watched and who is told. A condition is one text, as people say it, not a mapping of
 * metric, operator and value; the loader takes it apart.
 */
import { group, name, type SchemaNode, settingProperties } from './schema-node.ts';
import { ALERT, MONITOR } from './settings.ts';

export const monitorSchema: SchemaNode = group('Signals of every endpoint and version, and alerts on them.', {
  ...settingProperties(MONITOR),
  alerts: {
    type: 'array',
    title: 'a list of alerts',
    description: 'What is raised when a signal goes bad.',
    default: [],
    items: {
      ...group('One alert.', {
        name: name('The name of the alert.'),
        when: {
          type: 'string',
          title: 'a condition such as error_rate > 5%, p95 > 250ms, availability < 99% or throughput < 1',
          description:
            '`METRIC > VALUE` or `METRIC < VALUE`. Metrics: `availability` and `error_rate` (percent), `p50`, `p95` and `p99` ' +
            '(durations), `throughput` (requests per second).',
        },
        clear: {
          type: ['string', 'number'],
          title: 'a value such as 4%, 200ms or 1',
          description: 'Where the alert is cleared again. Default: the threshold, moved a tenth towards the good side.',
        },
        ...settingProperties(ALERT),
      }),
      required: ['name', 'when'],
    },
  },
  webhooks: {
    type: 'array',
    title: 'a list of URLs',
    description: 'Where alerts are posted as JSON.',
    default: [],
    items: { type: 'string', title: 'a URL such as https://hooks.example.com/sluice' },
  },
});

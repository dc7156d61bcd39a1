/**
 * The part of the schema that rollouts have besides services: strategies, metrics that are read elsewhere, who approves, who is told.
 */
import { ESCALATE, PROVIDER, ROLLOUT_DEFAULTS } from './rollout-settings.ts';
import { eventTypes, listOf, secretSchema } from './schema-admin.ts';
import { choice, group, name, named, type SchemaNode, settingProperties, text } from './schema-node.ts';
import { headerTexts } from './schema-step.ts';
import { METRIC_PATTERN, METRIC_TITLE, strategySchema } from './schema-strategy.ts';

const URL_TITLE = 'a URL such as http://127.0.0.1:9090';

const provider: SchemaNode = {
  ...group('Where its value is read: exactly one of `prometheus` and `http`.', {
    prometheus: {
      ...group('A Prometheus server, or what has its API.', {
        url: text(URL_TITLE, 'Its address.'),
        query: text(
          'a query such as up{job="{{version}}"}',
          'What it is asked for. `{{service}}`, `{{version}}`, `{{stable}}` and `{{window}}` are filled in.',
        ),
      }),
      required: ['url', 'query'],
    },
    http: {
      ...group('Anything that answers JSON to GET.', {
        url: text(
          'a URL such as http://127.0.0.1:9000/rate?of={{version}}',
          'What is asked. The same words are filled in, behind the host.',
        ),
        path: text(
          'a path such as data.value',
          'Where the number is in the answer: keys and list positions with dots between.',
        ),
        headers: headerTexts('Headers of the request, by name. The same words are filled in.'),
      }),
      required: ['url', 'path'],
    },
    ...settingProperties(PROVIDER),
    token: secretSchema('A bearer token that is sent', 'none is'),
  }),
  title: 'a mapping such as {prometheus: {url: http://127.0.0.1:9090, query: up}}',
};

const approver: SchemaNode = {
  ...group('One approver.', {
    name: name('Who it is.'),
    role: choice('a role', ['human', 'agent'], 'What it is; `approvals.roles` may ask for both.'),
    publicKey: {
      ...group('The Ed25519 public key: PEM text, or a mapping that names its file.', {
        file: text('the path of a PEM file', 'The file that the public key is in.'),
      }),
      type: ['string', 'object'],
      title: 'a public key in PEM, or {file: PATH}',
      required: ['file'],
      writeOnly: true,
    },
  }),
  title: 'a mapping such as {name: release-lead, role: human, publicKey: {file: ./lead.pub}}',
  required: ['name', 'role', 'publicKey'],
};

const notification: SchemaNode = {
  ...group('One channel.', {
    name: name('What logs and `escalate` call it.'),
    kind: choice('a kind', ['webhook', 'slack', 'alertmanager'], 'What is at the other end.'),
    url: text('a URL such as https://hooks.example.com/sluice', 'Where it is posted.'),
    severity: {
      ...choice('a severity', ['info', 'warning', 'critical'], 'The least severity that is sent.'),
      default: ROLLOUT_DEFAULTS.severity,
    },
    types: eventTypes('What is sent: types, or their beginning and `*`. Empty: everything.'),
    template: text(
      'a text such as {{service}}: {{message}}',
      'The text. `{{message}}`, `{{type}}`, `{{service}}`, `{{version}}`, `{{severity}}`, `{{at}}` and `{{data.NAME}}` are filled in.',
    ),
    secret: secretSchema('With `kind: webhook`, signs deliveries', 'they are not signed'),
    escalate: {
      ...group('What is critical and nobody acknowledges goes to another channel as well.', {
        ...settingProperties(ESCALATE),
        to: name('The name of that channel.'),
      }),
      required: ['after', 'to'],
    },
  }),
  title: 'a mapping such as {name: chat, kind: slack, url: https://hooks.example.com/T0}',
  required: ['name', 'kind', 'url'],
};

export const rolloutsSchema: Readonly<Record<string, SchemaNode>> = {
  strategies: named(
    'How versions are rolled out, by name. One with the name of a preset takes its place.',
    strategySchema,
  ),
  metrics: {
    ...named('Metrics for conditions that are read elsewhere, by name.', provider),
    propertyNames: { type: 'string', title: METRIC_TITLE, pattern: METRIC_PATTERN },
  },
  approvers: listOf('a list of approvers', 'Whose signature counts as an approval.', approver),
  notifications: listOf('a list of channels', 'Who is told of what, besides the webhooks of `events`.', notification),
};

/**
 * The part of the schema that says what a strategy is. It is a schema of its own as well: a strategy may come in the call that starts a rollout.
 */
import {
  APPROVALS,
  EVIDENCE,
  EVIDENCE_LATENCY,
  EVIDENCE_SHARES,
  EVIDENCE_SLO,
  GRADUAL,
  HEALTH_SCORE,
  HEALTH_WEIGHTS,
  HOOK,
  LONGEST_WINDOW,
  RISK,
  ROLLOUT_DEFAULTS,
  STRATEGY,
} from './rollout-settings.ts';
import { listOf, secretSchema } from './schema-admin.ts';
import {
  choice,
  flag,
  group,
  list,
  name,
  type SchemaNode,
  settingProperties,
  settingSchema,
  settingsGroup,
  text,
} from './schema-node.ts';
import { condition, SWITCH_PATTERN, stepSchema } from './schema-step.ts';
import { DURATION_PATTERN } from './units.ts';

export const DAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
export const METRIC_PATTERN = '^[a-z][a-z0-9_]{0,62}$';
export const METRIC_TITLE = 'the name of a metric such as task_success_rate: lower case letters, digits and "_"';

const evidence: SchemaNode = {
  ...group('What the proxy’s own measurements must show: `on`, `off`, or a mapping.', {
    ...settingProperties(EVIDENCE),
    shares: settingsGroup(
      'Parts of alpha by test; they sum to at most 1, and a test without one is off. Default: errors 0.5, latency 0.25, ratio 0.25; ' +
        'with an SLO errors 0.4, slo 0.3, latency 0.15, ratio 0.15. The part of a latency test that is off goes to errors.',
      EVIDENCE_SHARES,
    ),
    earlyPass: flag('Whether a step may end as soon as its SLO is proved.', ROLLOUT_DEFAULTS.earlyPass),
    ...settingProperties(EVIDENCE_SLO),
    latency: {
      ...group('Slower than stable: `on`, `off`, or a mapping.', {
        percentile: {
          ...choice('a percentile', ['p95', 'p99'], 'The percentile of stable that slow begins at.'),
          default: ROLLOUT_DEFAULTS.percentile,
        },
        ...settingProperties(EVIDENCE_LATENCY),
      }),
      type: ['boolean', 'string', 'object'],
      title: 'on, off or a mapping such as {percentile: p95, floor: 10ms, tolerance: 2}',
      pattern: SWITCH_PATTERN,
    },
  }),
  type: ['boolean', 'string', 'object'],
  title: 'on, off or a mapping such as {maxFailures: 20}',
  pattern: SWITCH_PATTERN,
};

const rule: SchemaNode = {
  ...group('One rule.', {
    when: condition('The version is taken back where this holds: `METRIC OP VALUE [over WINDOW]`.'),
    window: {
      type: 'string',
      title: 'a duration such as 250ms, 10s, 5m or 1h',
      description: `The same as \`over WINDOW\`, at most ${LONGEST_WINDOW}. Default: 1m.`,
      pattern: DURATION_PATTERN,
    },
    action: {
      ...choice('an action', ['immediate', 'gradual'], 'How the version is taken back.'),
      default: ROLLOUT_DEFAULTS.action,
    },
    level: {
      ...choice('a level', ['critical', 'warning'], '`critical` acts, `warning` only tells.'),
      default: ROLLOUT_DEFAULTS.level,
    },
  }),
  title: 'a rule such as {when: error_rate > 1%, window: 5m}',
  required: ['when'],
};

const hook: SchemaNode = {
  ...group('One hook.', {
    name: name('What reports call it.'),
    webhook: {
      ...group('Posts the state of the rollout as JSON; 2xx is good.', {
        url: text('a URL such as https://hooks.example.com/sluice', 'Where it is posted.'),
        secret: secretSchema('Signs it', 'it is not signed'),
      }),
      required: ['url'],
    },
    command: list(
      'a list of texts such as ["/usr/local/bin/smoke", "--fast"]',
      'Runs a program, without a shell; 0 is good.',
      {
        type: 'string',
        title: 'a text; numbers and flags want quotes',
      },
    ),
    env: {
      type: 'object',
      description: 'With `command`: variables of its environment besides those that say which rollout it is.',
      propertyNames: {
        type: 'string',
        title: 'the name of an environment variable such as TEAM',
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      },
      additionalProperties: {
        type: 'string',
        title: 'a text; numbers and flags want quotes',
        description: 'Its value.',
        writeOnly: true,
      },
    },
    ...settingProperties(HOOK),
    onFailure: choice(
      'an answer',
      ['rollback', 'ignore'],
      'What a failure does. Default: `rollback` at start and step; the others can only be ignored.',
    ),
  }),
  title: 'a hook such as {name: chat, webhook: {url: https://hooks.example.com/sluice}}',
  required: ['name'],
};

const hooks = (description: string): SchemaNode => listOf('a list of hooks', description, hook);

const clock = (description: string, fallback: string): SchemaNode => ({
  type: 'string',
  title: 'a time of day such as 22:00',
  description,
  default: fallback,
  pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$',
});

const freeze: SchemaNode = {
  ...group('Times of the week in which no rollout moves forward.', {
    name: name('What is said of a rollout that waits for its end.'),
    days: {
      ...list('a list of days', 'The days on which it begins. Left out, every day.', {
        ...choice('a day', DAYS, ''),
      }),
    },
    from: clock('When it begins.', ROLLOUT_DEFAULTS.freezeFrom),
    to: clock('When it ends; where that is before `from`, on the next day.', ROLLOUT_DEFAULTS.freezeTo),
    timeZone: {
      ...text('a time zone such as Europe/Berlin', 'Where the clock hangs.'),
      default: ROLLOUT_DEFAULTS.timeZone,
    },
  }),
  title: 'a mapping such as {name: weekend, days: [sat, sun]}',
  required: ['name'],
};

const healthScore: SchemaNode = group(
  'How `health_score` is put together: weights sum to 1. Those left out share the rest as 4 : 3 : 3, or 4 : 3 without a metric.',
  {
    success: settingSchema(HEALTH_WEIGHTS.success),
    latency: settingSchema(HEALTH_WEIGHTS.latency),
    metric: {
      ...group('A metric that is pushed or read elsewhere, from 0 to 1.', {
        name: { type: 'string', title: METRIC_TITLE, description: 'Its name.', pattern: METRIC_PATTERN },
        weight: settingSchema(HEALTH_WEIGHTS.weight),
      }),
      required: ['name'],
    },
    ...settingProperties(HEALTH_SCORE),
  },
);

export const strategySchema: SchemaNode = {
  ...group('How a version comes to all users, step by step, and what takes it back.', {
    extends: name('Another strategy: what is not written here is as it is there. Lists are replaced as a whole.'),
    steps: list(
      'a list of steps',
      'What happens, in this order. Behind the last one the version becomes stable.',
      stepSchema,
    ),
    evidence,
    rollbackWhen: listOf('a list of rules', 'Conditions that take the version back where they hold.', rule),
    gradual: settingsGroup('How fast `action: gradual` takes it back.', GRADUAL),
    ...settingProperties(STRATEGY),
    hooks: group('What is told or run beside the steps.', {
      start: hooks('Before the first step.'),
      step: hooks('When a step begins.'),
      rollback: hooks('When the version is taken back.'),
      success: hooks('When the version has become stable.'),
    }),
    approvals: group(
      'Who must agree, at `pause: approval` and before a start with a high risk. Default: one approval of anybody who may.',
      {
        ...settingProperties(APPROVALS),
        roles: listOf('a list of roles', 'Roles of which each must be among those who approve. Empty: any.', {
          ...choice('a role', ['human', 'agent'], ''),
        }),
      },
    ),
    ...settingProperties(RISK),
    whenBusy: {
      ...choice(
        'an answer',
        ['refuse', 'queue', 'supersede'],
        'What a start does while another rollout of the service runs; `supersede` takes that one back.',
      ),
      default: ROLLOUT_DEFAULTS.whenBusy,
    },
    freeze: listOf('a list of freeze windows', 'When no rollout moves forward.', freeze),
    healthScore,
  }),
  title: 'a strategy such as {steps: [{weight: 5, for: 10m}]}',
};

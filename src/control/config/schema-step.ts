/**
 * The part of the schema that says what a step of a strategy is.
 *
 * A step is exactly one of seven things. That is left to `resolve-steps.ts`, whose message says which of them were written: a schema could only say
 * that none of seven alternatives fits.
 */
import {
  ANALYSIS,
  CHECK,
  EXPECT,
  GATE,
  PREFLIGHT,
  RAMP,
  ROLLOUT_DEFAULTS,
  WARM_UP,
  WEIGHT_STEP,
} from './rollout-settings.ts';
import { secretSchema } from './schema-admin.ts';
import {
  flag,
  group,
  list,
  name,
  type SchemaNode,
  settingProperties,
  settingSchema,
  settingsGroup,
  TOKEN_PATTERN,
  text,
} from './schema-node.ts';
import { DURATION_PATTERN } from './units.ts';

export const SWITCH_PATTERN = '^(on|off|true|false)$';

/** Texts by header name. */
export const headerTexts = (description: string): SchemaNode => ({
  type: 'object',
  description,
  propertyNames: { type: 'string', title: 'a header name such as X-Beta', pattern: TOKEN_PATTERN },
  additionalProperties: {
    type: 'string',
    title: 'a text; numbers and flags want quotes',
    description: 'Its value.',
    writeOnly: true,
  },
});

export const condition = (description: string): SchemaNode => ({
  type: 'string',
  title: 'a condition such as error_rate < 1% or p95 <= baseline * 1.2',
  description,
});

const pass = (description: string): SchemaNode =>
  list('a list of conditions', description, condition('One condition: `METRIC OP VALUE [over WINDOW]`.'));

const path = (description: string): SchemaNode => ({
  type: 'string',
  title: 'a path that begins with "/"',
  description,
});

const status: SchemaNode = { type: 'integer', title: 'a status from 200 to 599', minimum: 200, maximum: 599 };

const check: SchemaNode = {
  ...group('One request to the version.', {
    name: name('What the report calls it. Default: `check-1` and so on.'),
    method: {
      ...text('a method such as GET', 'The method of the request.'),
      default: ROLLOUT_DEFAULTS.checkMethod,
      pattern: TOKEN_PATTERN,
    },
    path: path('What is asked for, with its query.'),
    headers: headerTexts('Headers of the request, by name.'),
    body: { type: 'string', title: 'a text', description: 'The body of the request.' },
    expect: group('What the answer must be.', {
      status: {
        ...status,
        type: ['integer', 'array'],
        title: 'a status from 200 to 599, or a list of them',
        description: 'Statuses that are right.',
        default: ROLLOUT_DEFAULTS.checkStatus,
        minItems: 1,
        items: status,
      },
      body: text('a text', 'What the body of the answer must contain.'),
      ...settingProperties(EXPECT),
    }),
    ...settingProperties(CHECK),
  }),
  title: 'a mapping such as {path: /, expect: {status: 200}}',
  required: ['path'],
};

const preflight: SchemaNode = group('Checks of the version before users get it.', {
  health: flag(
    'Whether every endpoint of the version must be healthy and available.',
    ROLLOUT_DEFAULTS.preflightHealth,
  ),
  warmUp: group('Requests before users come, so that the first of them does not meet a cold process.', {
    path: { ...path('What is asked for.'), default: ROLLOUT_DEFAULTS.warmUpPath },
    ...settingProperties(WARM_UP),
  }),
  smoke: list('a list of checks', 'Requests whose answers must be right.', check),
  ...settingProperties(PREFLIGHT),
});

const gate: SchemaNode = {
  ...group('Asks somebody: 2xx is a yes, 202 and 409 are "not yet", anything else takes the version back.', {
    url: text('a URL such as https://gate.example.com/may-it', 'Who is asked, with POST.'),
    ...settingProperties(GATE),
    secret: secretSchema('Signs the question', 'it is not signed'),
  }),
  required: ['url'],
};

export const stepSchema: SchemaNode = {
  ...group('One step: exactly one of `weight`, `ramp`, `pause`, `preflight`, `webhook`, `analysis` and `override`.', {
    name: name('What reports call the step. Default: `step-1` and so on.'),
    ...settingProperties(WEIGHT_STEP),
    pass: pass('With `weight` and `ramp`: what must hold before the step may end.'),
    ramp: {
      ...settingsGroup('Raises the weight bit by bit.', RAMP),
      title: 'a mapping such as {to: 100, by: 20, every: 5m}',
      required: ['to', 'by', 'every'],
    },
    pause: {
      type: 'string',
      title: 'approval, manual or a duration such as 10m',
      description: 'Waits for approvals, for somebody who resumes it, or for some time.',
      pattern: `^(approval|manual)$|${DURATION_PATTERN}`,
    },
    preflight,
    webhook: gate,
    analysis: {
      ...group('Looks at conditions for some time, at the weight of the step before.', {
        for: settingSchema(ANALYSIS.for),
        pass: pass('What must hold before the step may end.'),
      }),
      required: ['for', 'pass'],
    },
    override: {
      type: ['boolean', 'string'],
      title: 'on or off',
      description: 'Whether the override header and cookie reach the version from here on.',
      pattern: SWITCH_PATTERN,
    },
  }),
  title: 'a step such as {weight: 5, for: 10m}',
};

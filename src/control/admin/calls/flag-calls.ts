/**
 * Feature flags: for which share of the users each is on.
 *
 * A value is `true`, `false` or a percentage, 12.5 or "12.5%". The number 1 is one percent; everyone is `true` or 100.
 */
import { Type } from 'typebox';
import { nameHint } from '../../config/nearest-name.ts';
import { parsePercent } from '../../config/units.ts';
import type { FlagView, Operations } from '../../operations.ts';
import { OperationError } from '../../problems.ts';
import { defineCall, json } from '../call.ts';
import { flagChanged, flagView } from '../schemas/change-views.ts';
import { appliedExample, flagExample } from '../schemas/examples.ts';
import { closed, nameOf, reason, why } from '../schemas/values.ts';
import { CHANGE_PROBLEMS } from './change.ts';

const ofFlag = closed({ flag: nameOf('a flag') });

const flagBody = closed({
  value: Type.Unsafe<boolean | number | string>({
    type: ['boolean', 'number', 'string'],
    title: 'true, false or a percentage from 0 to 100, such as 12.5 or "12.5%"',
    minimum: 0,
    maximum: 100,
    pattern: '^(100(\\.0{1,2})?|[0-9]{1,2}(\\.[0-9]{1,2})?) ?%$',
    description: 'For which share of the users it is on; true is everyone.',
  }),
  reason: Type.Optional(reason),
});

const changed = [
  {
    status: 200,
    description: 'Every worker has taken it up.',
    content: json(flagChanged, { flag: flagExample, ...appliedExample }),
  },
];

/** @throws OperationError not_found */
function findFlag(operations: Operations, name: string): FlagView {
  const flags = operations.flags();
  const flag = flags.find((candidate) => candidate.name === name);
  if (flag !== undefined) return flag;
  const names = flags.map((candidate) => candidate.name);
  const hint = names.length === 0 ? 'none is configured' : nameHint(name, names);
  throw new OperationError('not_found', `There is no flag ${name}; ${hint}`);
}

function percentOf(value: boolean | number | string): number {
  const percent = typeof value === 'boolean' ? (value ? 100 : 0) : (parsePercent(value) ?? 0);
  if (Math.abs(percent * 100 - Math.round(percent * 100)) < 1e-6) return percent;
  const message = 'must be a percentage with at most two decimals';
  throw new OperationError('invalid_request', `value ${message}.`, [{ field: '/value', message }]);
}

export const flagCalls = [
  defineCall({
    id: 'listFlags',
    method: 'GET',
    path: '/api/v1/flags',
    tag: 'flags',
    summary: 'All feature flags',
    answers: [
      {
        status: 200,
        description: 'In the order of the file.',
        content: json(closed({ flags: Type.Array(flagView) }, { title: 'Flags' }), { flags: [flagExample] }),
      },
    ],
    handle: (_input, { operations }) => ({ body: { flags: operations.flags() } }),
  }),
  defineCall({
    id: 'getFlag',
    method: 'GET',
    path: '/api/v1/flags/{flag}',
    tag: 'flags',
    summary: 'One flag',
    pathSchema: ofFlag,
    answers: [{ status: 200, description: 'The flag.', content: json(flagView, flagExample) }],
    problems: ['not_found'],
    handle: ({ path }, { operations }) => ({ body: findFlag(operations, path.flag) }),
  }),
  defineCall({
    id: 'setFlag',
    method: 'PUT',
    path: '/api/v1/flags/{flag}',
    tag: 'flags',
    summary: 'Turn a flag on, off, or on for a share of the users',
    pathSchema: ofFlag,
    query: why,
    body: { schema: flagBody, example: { value: '12.5%', reason: 'first users' } },
    answers: changed,
    problems: CHANGE_PROBLEMS,
    async handle({ path, query, body, actor }, { operations }) {
      const why = body.reason ?? query.reason;
      const options = why === undefined ? {} : { reason: why };
      return { body: await operations.setFlag(actor, path.flag, percentOf(body.value), options) };
    },
  }),
  defineCall({
    id: 'resetFlag',
    method: 'DELETE',
    path: '/api/v1/flags/{flag}',
    tag: 'flags',
    summary: 'Back to the value of the file',
    pathSchema: ofFlag,
    query: why,
    answers: changed,
    problems: CHANGE_PROBLEMS,
    async handle({ path, query, actor }, { operations }) {
      return { body: await operations.resetFlag(actor, path.flag, query) };
    },
  }),
];

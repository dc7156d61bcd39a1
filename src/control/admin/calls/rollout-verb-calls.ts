/**
 * What is said to a rollout: on, stop, back, again, and that one approves.
 *
 * The verbs are one kind of call with differing words, so they are made by one function from a table. Approving has a permission of its own:
 * whoever may operate or approve may deliver an approval, since a signed one proves itself and can be carried by a pipeline. Whether an
 * unsigned one counts, and whose, is decided where rollouts are (docs/approvals.md); the API only looks that a signature comes complete.
 */
import { type TProperties, Type } from 'typebox';
import type { GivenApproval, RolloutVerb } from '../../operations.ts';
import { OperationError } from '../../problems.ts';
import { type AnyCall, defineCall, json } from '../call.ts';
import type { CallId } from '../permissions.ts';
import { rolloutExample } from '../schemas/rollout-examples.ts';
import { rolloutView } from '../schemas/rollout-views.ts';
import { closed, nameOf, reason, why, words } from '../schemas/values.ts';
import { CHANGE_PROBLEMS } from './change.ts';
import { instantOf, ofRollout, rolloutAddress } from './rollout-fields.ts';

const given = { reason: Type.Optional(reason) };

interface Saying {
  readonly id: CallId;
  readonly summary: string;
  readonly description: string;
  readonly done: string;
  /** Of the body, besides the reason. */
  readonly body?: TProperties;
  readonly example?: Readonly<Record<string, unknown>>;
}

const SAYINGS: Readonly<Record<RolloutVerb, Saying>> = {
  promote: {
    id: 'promoteRollout',
    summary: 'On to the next step, now',
    description: 'Refused while something fails. With `full` every step that is left is passed over.',
    done: 'It is in the next step, or is being promoted.',
    body: {
      full: Type.Optional(Type.Boolean({ title: 'true or false', description: 'Make the version stable now.' })),
    },
    example: { full: true },
  },
  pause: {
    id: 'pauseRollout',
    summary: 'Stand still',
    description: 'The weight stays; evidence and rules still take the version back.',
    done: 'It is paused.',
  },
  resume: {
    id: 'resumeRollout',
    summary: 'Go on after a pause',
    description: 'A pause for approval goes on only when it is approved.',
    done: 'It goes on.',
  },
  skip: {
    id: 'skipRollout',
    summary: 'On to the next step, whatever the conditions of this one say',
    description: 'Pauses for approval cannot be skipped.',
    done: 'It is in the next step.',
  },
  abort: {
    id: 'abortRollout',
    summary: 'End it',
    description: 'The version is taken back at once; a queued rollout ends without having begun.',
    done: 'All traffic is on stable, or never left it.',
  },
  rollback: {
    id: 'rollBackRollout',
    summary: 'Take the version back',
    description: 'Also after it has succeeded: back to the version that was stable before.',
    done: 'Done, or with `gradual` begun.',
    body: { mode: Type.Optional(words('immediate', 'gradual')) },
    example: { mode: 'gradual' },
  },
  retry: {
    id: 'retryRollout',
    summary: 'Start the same again, as a new rollout',
    description: 'Of a rollout that was taken back or has failed.',
    done: 'The new rollout; `retryOf` names this one.',
  },
};

const verbCall = (verb: RolloutVerb): AnyCall => {
  const { id, summary, description, done, body = {}, example = {} } = SAYINGS[verb];
  return defineCall({
    ...{ id, summary, description },
    method: 'POST',
    path: `/api/v1/rollouts/{rollout}/${verb}`,
    tag: 'rollouts',
    pathSchema: ofRollout,
    query: why,
    body: {
      schema: closed({ ...given, ...body }),
      example: { reason: 'looks good to me', ...example },
      optional: true,
    },
    answers: [
      {
        status: verb === 'retry' ? 201 : 200,
        description: done,
        content: json(rolloutView, rolloutExample),
        ...(verb === 'retry' && { headers: { location: 'Where the new rollout is.' } }),
      },
    ],
    problems: CHANGE_PROBLEMS,
    async handle({ path, query, body, actor }, { operations }) {
      const rollout = await operations.changeRollout(actor, path.rollout, verb, { ...query, ...body });
      if (verb !== 'retry') return { body: rollout };
      return { status: 201, headers: { location: rolloutAddress(rollout.id) }, body: rollout };
    },
  });
};

const approvalBody = closed({
  ...given,
  approver: Type.Optional(nameOf('an approver')),
  signature: Type.Optional(
    Type.String({
      title: 'an Ed25519 signature, 64 bytes in base64',
      pattern: '^[A-Za-z0-9+/]{86}==$',
      description: 'Of the payload of docs/approvals.md.',
    }),
  ),
  signedAt: Type.Optional(
    Type.String({ maxLength: 40, title: 'a time such as 2026-01-01T12:00:00Z', description: 'Part of the payload.' }),
  ),
});

/** A signature without who and when cannot be checked, and the other way round there is nothing to check. */
function wholeApproval(approval: GivenApproval): GivenApproval {
  const keys = ['approver', 'signature', 'signedAt'] as const;
  const missing = keys.filter((key) => approval[key] === undefined);
  if (missing.length > 0 && missing.length < keys.length) {
    const message = 'is missing; approver, signature and signedAt belong together, or leave all three out';
    const faults = missing.map((key) => ({ field: `/${key}`, message }));
    throw new OperationError('invalid_request', `/${missing.join(', /')} ${message}.`, faults);
  }
  if (approval.signedAt !== undefined) instantOf(approval.signedAt, '/signedAt');
  return approval;
}

export const rolloutVerbCalls = [
  ...Object.keys(SAYINGS).map((verb) => verbCall(verb as RolloutVerb)),
  defineCall({
    id: 'approveRollout',
    method: 'POST',
    path: '/api/v1/rollouts/{rollout}/approve',
    tag: 'rollouts',
    summary: 'Approve a rollout, or the step at which it waits',
    description: 'A signed approval counts for its approver, whoever delivers it. `sluice rollout approve` makes one.',
    pathSchema: ofRollout,
    query: why,
    body: {
      schema: approvalBody,
      example: {
        approver: 'release-lead',
        signature: `${'A'.repeat(86)}==`,
        signedAt: '2026-01-01T12:00:00.000Z',
      },
      optional: true,
    },
    answers: [{ status: 200, description: 'It counts.', content: json(rolloutView, rolloutExample) }],
    problems: CHANGE_PROBLEMS,
    async handle({ path, query, body, actor }, { operations }) {
      const { reason: told, ...approval } = body ?? {};
      const options = { ...query, ...(told !== undefined && { reason: told }) };
      return { body: await operations.approveRollout(actor, path.rollout, wholeApproval(approval), options) };
    },
  }),
];

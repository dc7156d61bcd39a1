/**
 * The buttons of a rollout: what its phase offers, each asked for once more, done, and told of.
 *
 * The question says what will happen to users, not what the button is called. Taking a version back wants a reason, because the next person reads the report; going
 * on may have one. Only a pause can be undone by a click: everything else moves traffic, and is followed by another verb instead.
 */
import type { JSX } from 'preact';
import { call, part } from '../../api/client.ts';
import type { Permission, RolloutView, ServiceView } from '../../api/views.ts';
import { percent } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { ask, attempt, notify, type Question } from '../../state/actions.ts';
import { session } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';
import { ActionButton } from '../../ui/action-button.tsx';
import { type Offer, offersOf, type Verb } from './offers.ts';

interface Spoken {
  readonly text: string;
  readonly kind: 'plain' | 'primary' | 'danger';
  /** The API's. */
  readonly path: string;
}

const SPOKEN: Readonly<Record<Verb, Spoken>> = {
  approve: { text: 'Approve', kind: 'primary', path: 'approve' },
  resume: { text: 'Resume', kind: 'primary', path: 'resume' },
  promote: { text: 'Promote', kind: 'primary', path: 'promote' },
  'promote-full': { text: 'Promote fully', kind: 'plain', path: 'promote' },
  pause: { text: 'Pause', kind: 'plain', path: 'pause' },
  skip: { text: 'Skip step', kind: 'plain', path: 'skip' },
  rollback: { text: 'Roll back', kind: 'danger', path: 'rollback' },
  'rollback-rest': { text: 'Take the rest back now', kind: 'danger', path: 'rollback' },
  undo: { text: 'Undo the promotion', kind: 'danger', path: 'rollback' },
  abort: { text: 'Abort', kind: 'danger', path: 'abort' },
  retry: { text: 'Retry', kind: 'primary', path: 'retry' },
};

export interface VerbButtonsProps {
  readonly rollout: RolloutView;
  readonly service: ServiceView | null;
}

export function VerbButtons({ rollout, service }: VerbButtonsProps): JSX.Element | null {
  const { identity } = useStore(session);
  const offers = offersOf(rollout, service);
  if (offers.length === 0) return null;
  const first = offers.findIndex(({ verb, blocked }) => SPOKEN[verb].kind === 'primary' && blocked === null);
  const refused = (verb: Verb): string | null =>
    verb === 'approve' && identity?.role === 'operator'
      ? 'An operator may only deliver an approval that is signed: sluice rollout approve.'
      : null;
  return (
    <div class="buttons">
      {offers.map(({ verb, blocked }: Offer, index) => {
        const { text, kind } = SPOKEN[verb];
        const permission: Permission = verb === 'approve' ? 'approve' : 'operate';
        return (
          <ActionButton
            key={verb}
            permission={permission}
            kind={kind === 'primary' && index !== first ? 'plain' : kind}
            blocked={blocked ?? refused(verb)}
            act={() => say(rollout, verb)}
          >
            {text}
          </ActionButton>
        );
      })}
    </div>
  );
}

async function say(rollout: RolloutView, verb: Verb): Promise<void> {
  const chosen: Chosen = { mode: 'immediate' };
  const answered = await ask(questionOf(rollout, verb, chosen));
  if (answered === null) return;
  const more =
    verb === 'promote-full' ? { full: true } : SPOKEN[verb].path === 'rollback' ? { mode: chosen.mode } : undefined;
  const next = await tell(rollout.id, verb, answered.reason, more);
  if (next === null) return;
  const undo = verb === 'pause' ? () => void resumeAgain(rollout.id) : undefined;
  notify('done', doneText(next, verb), undo);
  if (verb === 'retry') location.hash = linkTo.rollout(next.id);
}

const tell = (id: string, verb: Verb, reason: string, more: object = {}): Promise<RolloutView | null> =>
  attempt(() =>
    call<RolloutView>(`api/v1/rollouts/${part(id)}/${SPOKEN[verb].path}`, {
      method: 'POST',
      body: { ...(reason !== '' && { reason }), ...more },
    }),
  );

async function resumeAgain(id: string): Promise<void> {
  const next = await tell(id, 'resume', 'undo of the pause');
  if (next !== null) notify('done', `${id} goes on.`);
}

function doneText({ id, version, stable, weight, phase, step, stepCount }: RolloutView, verb: Verb): string {
  switch (verb) {
    case 'approve':
      return `${id} is approved by you.`;
    case 'pause':
      return `${id} is paused; ${version} stays at ${percent(weight)}.`;
    case 'resume':
      return `${id} goes on.`;
    case 'promote':
    case 'skip':
      return phase === 'Promoting' || phase === 'Succeeded'
        ? `${id}: ${version} becomes stable.`
        : `${id} is in step ${step} of ${stepCount}; ${version} gets ${percent(weight)}.`;
    case 'promote-full':
      return `${id}: ${version} becomes stable.`;
    case 'rollback':
    case 'rollback-rest':
      return weight > 0 ? `${id}: ${version} is taken back step by step.` : `${id}: all traffic is on ${stable} again.`;
    case 'undo':
      return `${stable} is stable again.`;
    case 'abort':
      return `${id} is ended.`;
    case 'retry':
      return `${id} was started: the same once more.`;
  }
}

interface Chosen {
  mode: 'immediate' | 'gradual';
}

function questionOf(rollout: RolloutView, verb: Verb, chosen: Chosen): Question {
  const { id, service, version, stable, weight, steps, step, canary } = rollout;
  const next = steps[step];
  const { text, kind } = SPOKEN[verb];
  const base = { confirm: text, danger: kind === 'danger', reason: 'optional' } as const;
  switch (verb) {
    case 'approve':
      return { ...base, title: `Approve ${id}?`, body: <ApprovalBody rollout={rollout} /> };
    case 'resume':
      return {
        ...{ ...base, title: `Resume ${id}?` },
        body:
          rollout.pause?.by === 'incident'
            ? `${version} stays at ${percent(weight)} and is looked at from here on with a new budget. What was found until now no longer counts against it.`
            : `The rollout goes on where it stands; ${version} has ${percent(weight)}.`,
      };
    case 'promote':
      return {
        ...{ ...base, title: `Promote ${version} to the next step?` },
        body:
          next === undefined
            ? last(version, service)
            : `Next is ${next.name}: ${next.summary}. The rest of this step is not waited for.`,
      };
    case 'promote-full':
      return {
        ...{ ...base, title: `Make ${version} stable now?` },
        body: `Every step that is left is passed over. ${last(version, service)}`,
      };
    case 'pause':
      return {
        ...{ ...base, title: `Pause ${id}?` },
        body: `${version} stays at ${percent(weight)}. Everything is watched as before, and a version that fails is still taken back.`,
      };
    case 'skip':
      return {
        ...{ ...base, title: 'Skip this step?' },
        body:
          next === undefined
            ? `Whatever its conditions say. ${last(version, service)}`
            : `On to ${next.name} (${next.summary}), whatever the conditions of this step say.`,
      };
    case 'rollback':
      return {
        ...{ ...base, title: `Take ${version} back?`, reason: 'required' },
        body: <RollbackBody rollout={rollout} chosen={chosen} />,
      };
    case 'rollback-rest':
      return {
        ...{ ...base, title: `Take the rest of ${version} back now?` },
        body: `${version} still has ${percent(weight)}; all of it goes to ${stable} at once.`,
      };
    case 'undo':
      return {
        ...{ ...base, confirm: `Back to ${stable}`, title: `Make ${stable} stable again?`, reason: 'required' },
        body: `All traffic of ${service} goes from ${version} to ${stable} at once. Requests under way on ${version} are let finish (${canary.inFlight} now).`,
      };
    case 'abort':
      return {
        ...{ ...base, title: `End ${id}?` },
        body: `No user has got ${version} by it, and none will. It can be retried later.`,
      };
    case 'retry':
      return {
        ...{ ...base, title: `Start ${version} once more?` },
        body: `A new rollout of ${version} by ${rollout.strategy} begins, from its first step.`,
      };
  }
}

const last = (version: string, service: string): string => `${version} becomes the stable version of ${service}.`;

const ApprovalBody = ({
  rollout: { id, version, step, steps, phase, digest },
}: {
  readonly rollout: RolloutView;
}): JSX.Element => (
  <>
    <p>
      {phase === 'Queued' ? `The start of ${version}` : `Step ${step}, ${steps[step - 1]?.name ?? ''}`}, by your token.
      Where the configuration names approvers an approval must be signed instead:{' '}
      <code>sluice rollout approve {id} --key FILE --as NAME</code>
    </p>
    <p class="digest">
      Digest of what is to be done: <code>{digest}</code>
    </p>
  </>
);

function RollbackBody({ rollout, chosen }: { readonly rollout: RolloutView; readonly chosen: Chosen }): JSX.Element {
  const { version, stable, weight, canary } = rollout;
  const modes = [
    ['immediate', 'At once', `the very next request goes to ${stable}`],
    ['gradual', 'Step by step', `${version} has less each time, for a ${stable} that must warm up first`],
  ] as const;
  return (
    <>
      <p>
        {version} has {percent(weight)}; all of it goes to {stable}. Requests under way on {version} are let finish (
        {canary.inFlight} now).
      </p>
      <fieldset class="choices">
        <legend class="visually-hidden">How</legend>
        {modes.map(([mode, name, text]) => (
          <label key={mode} class="check">
            <input
              type="radio"
              name="mode"
              defaultChecked={mode === chosen.mode}
              onChange={() => {
                chosen.mode = mode;
              }}
            />
            <span>
              <b>{name}</b>: {text}
            </span>
          </label>
        ))}
      </fieldset>
    </>
  );
}

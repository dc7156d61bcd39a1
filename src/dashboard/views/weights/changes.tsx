/**
 * The three changes of the weights panel: other weights, those of the file again, everything back to stable. Each is asked for with what it would do, told of when
 * every worker has it, and taken back by one click.
 *
 *     edit ─▶ question ─▶ PUT, If-Match: what the edit began from ─200─▶ told, with Undo
 *                                                                 └412─▶ told; the edit stays, and is behind
 *
 * Undo has the entity tag of the change that it takes back: where somebody has gone on from there, it is refused rather than theirs be lost. Weights that were the
 * file's before are given back to the file.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { CallFailed, call, part } from '../../api/client.ts';
import type { ServiceView, WeightsChanged } from '../../api/views.ts';
import { duration, number } from '../../format.ts';
import { ask, attempt, notify } from '../../state/actions.ts';
import type { Samples } from '../../state/samples.ts';
import { type Edit, sameWeights, type Weights } from './edit.ts';
import { consequence, requestRate, told, warnings } from './preview.ts';
import { BeforeAfter, ChangeList } from './weight-bar.tsx';

/** @returns what runs now; null where nothing was changed. */
export async function applyEdit(service: ServiceView, edit: Edit, samples: Samples): Promise<WeightsChanged | null> {
  const { from, to, etag } = edit;
  const warned = warnings(service, from, to, samples);
  const answer = await ask({
    title: `Other weights for ${service.name}?`,
    body: (
      <>
        <ChangeList from={from} to={to} />
        <BeforeAfter
          {...{ service, from, to }}
          consequence={consequence(from, to, requestRate(service, samples))}
          warnings={warned}
        />
      </>
    ),
    confirm: 'Apply',
    danger: warned.length > 0,
    reason: 'optional',
  });
  if (answer === null) return null;
  const changed = await attempted(() =>
    call<WeightsChanged>(`${addressOf(service)}${because(answer.reason)}`, { method: 'PUT', body: to, ifMatch: etag }),
  );
  if (changed !== null) tell(service, changed);
  return changed;
}

export async function resetToFile(
  service: ServiceView,
  file: Weights,
  samples: Samples,
): Promise<WeightsChanged | null> {
  const { weights, etag } = service;
  const answer = await ask({
    title: `${service.name} back to the weights of the file?`,
    body: sameWeights(weights, file) ? (
      <p>They are the same now; edits of the file would count again.</p>
    ) : (
      <BeforeAfter
        {...{ service, from: weights, to: file }}
        consequence={consequence(weights, file, requestRate(service, samples))}
        warnings={warnings(service, weights, file, samples)}
      />
    ),
    confirm: 'Reset',
    reason: 'optional',
  });
  if (answer === null) return null;
  const changed = await attempted(() =>
    call<WeightsChanged>(`${addressOf(service)}${because(answer.reason)}`, { method: 'DELETE', ifMatch: etag }),
  );
  if (changed !== null) tell(service, changed);
  return changed;
}

export async function rollBack(service: ServiceView): Promise<WeightsChanged | null> {
  const { stable } = service.lanes;
  let mode: Mode = 'immediate';
  const answer = await ask({
    title: `Take all traffic of ${service.name} back to ${stable}?`,
    body: (
      <RollbackChoice
        service={service}
        onChoose={(chosen) => {
          mode = chosen;
        }}
      />
    ),
    confirm: 'Roll back',
    danger: true,
    reason: 'required',
  });
  if (answer === null) return null;
  const changed = await attempted(() =>
    call<WeightsChanged>(`api/v1/services/${part(service.name)}/rollback`, {
      method: 'POST',
      body: { reason: answer.reason, mode },
    }),
  );
  if (changed === null) return null;
  if (changed.note !== undefined) {
    notify('done', `${service.name}: ${changed.note}`);
    return changed;
  }
  // A rollout that has ended does not begin again because its weights come back.
  if (mode === 'immediate') tell(service, changed, service.rollout === null);
  else notify('done', `${service.name}: going back to ${stable}, now ${told(changed.weights)}.`);
  return changed;
}

type Mode = 'immediate' | 'gradual';

function RollbackChoice({
  service,
  onChoose,
}: {
  readonly service: ServiceView;
  readonly onChoose: (mode: Mode) => void;
}): JSX.Element {
  const [mode, setMode] = useState<Mode>('immediate');
  const choose = (chosen: Mode): void => {
    setMode(chosen);
    onChoose(chosen);
  };
  const option = (value: Mode, text: string): JSX.Element => (
    <label class="check">
      <input type="radio" name="mode" checked={mode === value} onChange={() => choose(value)} />
      {text}
    </label>
  );
  return (
    <>
      <p>
        Now {told(service.weights)}; then {service.lanes.stable} 100 %.
        {service.rollout !== null && ` This ends the rollout ${service.rollout}.`}
      </p>
      <fieldset class="choice">
        <legend class="visually-hidden">How fast</legend>
        {option('immediate', 'At once: the next request goes to stable')}
        {option('gradual', 'Gradually: 20 points now and every minute')}
      </fieldset>
    </>
  );
}

function tell(before: ServiceView, changed: WeightsChanged, undoable = true): void {
  const { workers, appliedInMs } = changed;
  const who = workers === 1 ? 'the worker' : 'every worker';
  const text = `${before.name}: ${told(changed.weights)} – ${who} after ${number(appliedInMs, 1)} ms`;
  notify('done', text, undoable ? () => void undo(before, changed) : undefined);
}

async function undo(before: ServiceView, changed: WeightsChanged): Promise<void> {
  const wasFile = !before.overrides.includes('weights') && sameWeights(before.weights, changed.file);
  const back = await attempted(() =>
    call<WeightsChanged>(`${addressOf(before)}${because('undone in the dashboard')}`, {
      ...(wasFile ? { method: 'DELETE' } : { method: 'PUT', body: before.weights }),
      ifMatch: changed.etag,
    }),
  );
  if (back !== null) notify('done', `${before.name}: ${told(back.weights)} again.`);
}

/** As {@link attempt}, with a word of its own for the refusal that belongs to entity tags. */
const attempted = (change: () => Promise<WeightsChanged>): Promise<WeightsChanged | null> =>
  attempt(async () => {
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof CallFailed) || error.problem?.code !== 'changed_meanwhile') throw error;
      const message =
        'Somebody has changed lanes or weights meanwhile. Nothing was applied: look at the present ones first.';
      throw new CallFailed(message, error.status, error.problem);
    }
  });

const addressOf = ({ name }: ServiceView): string => `api/v1/services/${part(name)}/weights`;

const because = (reason: string): string => (reason === '' ? '' : `?reason=${part(reason)}`);

/** `20 points every 1 min; about 2 min left`. */
export function pace({ weights, lanes, rollback }: ServiceView): string {
  if (rollback === null) return '';
  const left = 100 - (weights[lanes.stable] ?? 0);
  const steps = Math.ceil(left / rollback.by);
  return `${number(rollback.by, 2)} points every ${duration(rollback.everyMs)}; at most ${duration(steps * rollback.everyMs)} left`;
}

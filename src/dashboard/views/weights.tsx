/**
 * The weights of a service: what runs, and the place where it is changed.
 *
 *     shown ─first move─▶ edited ─Apply, confirmed─▶ applied ─the next state has it─▶ shown
 *                           ├─Discard─▶ shown
 *                           └─somebody else changed them─▶ behind ─Begin from these─▶ shown
 *                                                             └─Keep mine─▶ edited
 *
 * shown: the sliders follow the live state. edited: they are the user's, whatever comes. behind: as edited, but the present weights have another entity tag, so the
 * server would refuse; the user says which hold. applied: between the answer and the next state, at most a second, so that nothing jumps back in between.
 * While a rollout has the weights in hand there is no editor: it would be refused.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, part } from '../api/client.ts';
import type { ServiceView, WeightsChanged, WeightsView } from '../api/views.ts';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { useLoaded } from '../state/loaded.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Badge } from '../ui/badges.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { applyEdit, pace, resetToFile, rollBack } from './weights/changes.tsx';
import { begun, type Edit, edited, isEditable, rebased, sameWeights, sumOfWeights } from './weights/edit.ts';
import { consequence, requestRate, share, told, warnings } from './weights/preview.ts';
import { QuickWeights, WeightRow } from './weights/rows.tsx';
import { BeforeAfter, WeightBar } from './weights/weight-bar.tsx';

/** Milliseconds for which the answer of a change counts for more than an older state. */
const SETTLING = 3_000;

export function WeightsPanel({
  service: sent,
  now,
}: {
  readonly service: ServiceView;
  readonly now: Live;
}): JSX.Element {
  const { service, settle } = useSettled(sent, now);
  const { data } = useLoaded(
    () => call<WeightsView>(`api/v1/services/${part(service.name)}/weights`),
    service.name,
    now.state?.status.generation,
  );
  const file = data?.file ?? null;
  const { rollout, rollback } = service;
  const changed = service.overrides.includes('weights');
  const onStable = (service.weights[service.lanes.stable] ?? 0) === 100;
  return (
    <Panel
      title="Weights"
      class="weights"
      aside={changed && rollout === null && <Badge tone="calm">changed at run time</Badge>}
    >
      {rollback !== null && (
        <div class="notice-box tone-bad" role="status">
          <p>
            <b>Gradual rollback under way:</b> {pace(service)}.{' '}
            {rollback.reason !== '' && <span class="muted">{rollback.reason}</span>}
          </p>
          <p class="muted">Other weights end it.</p>
        </div>
      )}
      {rollout !== null ? (
        <Held service={service} rollout={rollout} />
      ) : isEditable(service) ? (
        <Editor service={service} now={now} file={file} settle={settle} />
      ) : (
        <Empty>There is one version with traffic: it has everything.</Empty>
      )}
      <footer class="weights-foot">
        {rollout === null && (
          <ActionButton
            permission="operate"
            kind="quiet"
            blocked={file === null ? 'The file’s weights are not known yet.' : changed ? null : 'They are the file’s.'}
            act={async () => file !== null && settle(await resetToFile(service, file, now.samples))}
          >
            Reset to the file’s
          </ActionButton>
        )}
        <ActionButton
          permission="operate"
          kind="danger"
          blocked={onStable && rollout === null ? `All traffic is on ${service.lanes.stable} already.` : null}
          act={async () => settle(await rollBack(service))}
        >
          Roll back now …
        </ActionButton>
      </footer>
    </Panel>
  );
}

const Held = ({ service, rollout }: { readonly service: ServiceView; readonly rollout: string }): JSX.Element => (
  <>
    <WeightBar service={service} weights={service.weights} label="now" />
    <p class="weights-held">
      The rollout <a href={linkTo.rollout(rollout)}>{rollout}</a> has the weights in hand: {told(service.weights)}. It
      can be promoted, paused or taken back there.
    </p>
  </>
);

interface EditorProps {
  readonly service: ServiceView;
  readonly now: Live;
  readonly file: WeightsView['file'] | null;
  readonly settle: (changed: WeightsChanged | null) => void;
}

function Editor({ service, now, file, settle }: EditorProps): JSX.Element {
  const [edit, setEdit] = useState<Edit | null>(null);
  const { lanes, versions } = service;
  const from = edit?.from ?? service.weights;
  const to = edit?.to ?? service.weights;
  const behind = edit !== null && edit.etag !== service.etag;
  const open = edit !== null && !sameWeights(edit.to, service.weights);
  const move = (name: string, value: number): void =>
    setEdit((present) => edited(present ?? begun(service), lanes, name, value));
  const apply = async (): Promise<void> => {
    if (edit === null) return;
    const changed = await applyEdit(service, edit, now.samples);
    if (changed === null) return;
    settle(changed);
    setEdit(null);
  };
  const blocked = behind ? 'The weights have been changed meanwhile; say first which hold.' : null;
  return (
    <>
      <div class="weight-rows">
        {versions.map((version) => (
          <WeightRow
            key={version.name}
            version={version}
            value={to[version.name] ?? 0}
            runs={service.weights[version.name] ?? 0}
            file={file === null ? null : file[version.name]}
            onMove={move}
          />
        ))}
        <p class="weight-sum">
          Sum <output>{share(sumOfWeights(to))}</output>
          <span class="muted"> · what one gives or takes, stable takes or gives; moving stable moves the others</span>
        </p>
      </div>
      <QuickWeights service={service} weights={to} onMove={move} />
      {behind && <Behind service={service} edit={edit} onChoose={setEdit} />}
      {open && !behind && (
        <BeforeAfter
          {...{ service, from, to }}
          consequence={consequence(from, to, requestRate(service, now.samples))}
          warnings={warnings(service, from, to, now.samples)}
        />
      )}
      <div class="buttons">
        <ActionButton
          permission="operate"
          kind="primary"
          blocked={blocked ?? (open ? null : 'Nothing has been moved yet.')}
          act={apply}
        >
          Apply …
        </ActionButton>
        {edit !== null && (
          <button type="button" class="button" onClick={() => setEdit(null)}>
            Discard
          </button>
        )}
      </div>
    </>
  );
}

function Behind({
  service,
  edit,
  onChoose,
}: {
  readonly service: ServiceView;
  readonly edit: Edit;
  readonly onChoose: (edit: Edit | null) => void;
}): JSX.Element {
  const kept = rebased(edit, service);
  return (
    <div class="notice-box tone-warn" role="alert">
      <p>
        <b>Changed meanwhile.</b> When you began it was {told(edit.from)}; now {told(service.weights)} runs. Yours would
        be {told(edit.to)}.
      </p>
      <div class="buttons">
        <button type="button" class="button" onClick={() => onChoose(null)}>
          Begin from these
        </button>
        {kept !== null && (
          <button type="button" class="button" onClick={() => onChoose(kept)}>
            Keep mine
          </button>
        )}
      </div>
    </div>
  );
}

/** The service with the weights of a change that the live state does not have yet. */
function useSettled(
  service: ServiceView,
  now: Live,
): { readonly service: ServiceView; readonly settle: (changed: WeightsChanged | null) => void } {
  const [settled, setSettled] = useState<WeightsChanged | null>(null);
  useEffect(() => {
    if (settled === null) return;
    const timer = setTimeout(() => setSettled(null), SETTLING);
    return () => clearTimeout(timer);
  }, [settled]);
  const older = settled !== null && (now.state?.status.generation ?? 0) < settled.generation;
  const { weights, etag, lanes } = older ? settled : service;
  return {
    service: older ? { ...service, weights, etag, lanes } : service,
    settle: (changed) => changed !== null && setSettled(changed),
  };
}

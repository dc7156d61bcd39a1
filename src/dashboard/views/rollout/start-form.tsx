/**
 * Starts a rollout: which version, how carefully, why. The steps of the strategy and the risk of starting now are there before the button is pressed.
 *
 * The risk is asked for again with every choice, of those who may start one; it changes nothing.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, part } from '../../api/client.ts';
import type { Risk, RolloutView, ServiceView, StrategyView } from '../../api/views.ts';
import { number } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { attempt, notify } from '../../state/actions.ts';
import { useLoaded } from '../../state/loaded.ts';
import { mayDo, session } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';
import { ActionButton } from '../../ui/action-button.tsx';
import { Empty, Failure } from '../../ui/panel.tsx';
import { SelectField } from '../../ui/select-field.tsx';
import { RiskItems, RiskScore } from './settled.tsx';

interface Choice {
  readonly version: string | null;
  readonly strategy: string | null;
  readonly reason: string;
}

export function StartForm({ service }: { readonly service: ServiceView }): JSX.Element {
  const [choice, setChoice] = useState<Choice>({ version: null, strategy: null, reason: '' });
  const strategies = useLoaded(
    () => call<{ readonly strategies: readonly StrategyView[] }>('api/v1/strategies'),
    'strategies',
  );
  const versions = service.versions.filter(({ name }) => name !== service.lanes.stable).map(({ name }) => name);
  const known = strategies.data?.strategies ?? [];
  const version = pick(choice.version, versions, service.lanes.canary ?? service.lanes.candidate);
  const strategy = pick(
    choice.strategy,
    known.map(({ name }) => name),
    known.find(({ preset }) => !preset)?.name ?? 'standard',
  );
  const chosen = known.find(({ name }) => name === strategy);
  if (versions.length === 0) {
    return <Empty>There is no version besides {service.lanes.stable}. A rollout needs one to go to.</Empty>;
  }
  return (
    <form class="start" onSubmit={(event) => event.preventDefault()}>
      <h3>Start a rollout</h3>
      {strategies.failure !== null && <Failure message={strategies.failure} />}
      <div class="start-fields">
        <SelectField
          label="Version"
          value={version}
          options={versions}
          choose={(value) => setChoice({ ...choice, version: value })}
        />
        <SelectField
          label="Strategy"
          value={strategy}
          options={known.map(({ name }) => name)}
          choose={(value) => setChoice({ ...choice, strategy: value })}
        />
        <label class="field start-reason">
          <span>Reason (optional)</span>
          <input
            name="reason"
            maxLength={500}
            autocomplete="off"
            value={choice.reason}
            placeholder="release 2.0"
            onInput={(event) => setChoice({ ...choice, reason: event.currentTarget.value })}
          />
        </label>
      </div>
      {chosen !== undefined && (
        <ol class="start-steps" aria-label={`Steps of ${chosen.name}`}>
          {chosen.steps.map(({ name, summary }, index) => (
            <li key={`${index} ${name}`}>
              <b>{name}</b> <span class="muted">{summary}</span>
            </li>
          ))}
        </ol>
      )}
      {version !== '' && strategy !== '' && <RiskPreview service={service} version={version} strategy={strategy} />}
      <div class="buttons">
        <ActionButton
          permission="operate"
          kind="primary"
          blocked={strategy === '' ? 'The strategies are not known yet.' : null}
          act={() => start(service.name, version, strategy, choice.reason.trim())}
        >
          Start {version} by {strategy}
        </ActionButton>
      </div>
    </form>
  );
}

/** What was chosen while it is still there, else the usual one (of strategies the first of the configuration's own), else the first. */
function pick(chosen: string | null, names: readonly string[], usual: string | undefined): string {
  if (chosen !== null && names.includes(chosen)) return chosen;
  return usual !== undefined && names.includes(usual) ? usual : (names[0] ?? '');
}

interface RiskPreviewProps {
  readonly service: ServiceView;
  readonly version: string;
  readonly strategy: string;
}

function RiskPreview({ service: { name, etag }, version, strategy }: RiskPreviewProps): JSX.Element | null {
  const may = mayDo(useStore(session), 'operate');
  const risk = useLoaded(
    () =>
      may
        ? call<Risk>(`api/v1/services/${part(name)}/rollouts/risk`, { method: 'POST', body: { version, strategy } })
        : Promise.resolve(null),
    `${name} ${version} ${strategy} ${may}`,
    etag,
  );
  if (risk.failure !== null) return <Failure message={risk.failure} />;
  if (risk.data === null) return null;
  return (
    <details class="risk">
      <summary>
        Risk of starting now: <b>{number(risk.data.score)}</b> of 100 <RiskScore risk={risk.data} />
      </summary>
      <RiskItems risk={risk.data} />
    </details>
  );
}

async function start(service: string, version: string, strategy: string, reason: string): Promise<void> {
  const started = await attempt(() =>
    call<RolloutView>(`api/v1/services/${part(service)}/rollouts`, {
      method: 'POST',
      body: { version, strategy, ...(reason !== '' && { reason }) },
    }),
  );
  if (started === null) return;
  notify('done', `${started.id} was started: ${version} of ${service} by ${strategy}.`);
  location.hash = linkTo.rollout(started.id);
}

/**
 * The rollouts of a service, on its page: the one under way in short, else a way to start one; and how the last ones came out.
 */
import type { JSX } from 'preact';
import { call, part } from '../api/client.ts';
import type { RolloutSummary, RolloutView, ServiceView } from '../api/views.ts';
import { ago, duration, percent } from '../format.ts';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { useLoaded } from '../state/loaded.ts';
import { PhaseBadge } from '../ui/badges.tsx';
import { Failure, Panel } from '../ui/panel.tsx';
import { StepBars, soakWords } from '../ui/stepper.tsx';
import { rowsOf, tookOf } from './rollout/rows.ts';
import { StartForm } from './rollout/start-form.tsx';
import { verdictOf } from './rollout/verdict.ts';
import { isOver, sentence } from './rollout/words.ts';

/** Ended ones that are shown. */
const SHOWN = 5;

export function ServiceRollouts({ service, now }: { readonly service: ServiceView; readonly now: Live }): JSX.Element {
  const { name } = service;
  const newest = now.events.find((event) => event.type.startsWith('rollout.') && event.service === name)?.id ?? 0;
  const listed = useLoaded(
    () => call<{ readonly rollouts: readonly RolloutSummary[] }>(`api/v1/rollouts?service=${part(name)}`),
    name,
    newest,
  );
  const live = (now.state?.rollouts ?? []).filter((rollout) => rollout.service === name);
  const running = live.filter(({ phase }) => !isOver(phase));
  const ended = rowsOf(listed.data?.rollouts ?? [], live, { service: name, phase: '' })
    .filter(({ phase }) => isOver(phase))
    .slice(0, SHOWN);
  return (
    <Panel title="Rollouts" aside={<a href={linkTo.rollouts()}>all of them</a>} class="service-rollouts">
      {running.length === 0 ? (
        <StartForm service={service} />
      ) : (
        running.toReversed().map((rollout) => <Running key={rollout.id} rollout={rollout} />)
      )}
      {listed.failure !== null && <Failure message={listed.failure} />}
      {ended.length > 0 && (
        <section>
          <h3>The last ones</h3>
          <ul class="ended">
            {ended.map((rollout) => (
              <Ended key={rollout.id} rollout={rollout} />
            ))}
          </ul>
        </section>
      )}
    </Panel>
  );
}

function Running({ rollout }: { readonly rollout: RolloutView }): JSX.Element {
  const { id, stable, version, phase, steps, soak, step, stepCount, weight, strategy } = rollout;
  const { tone, title, text } = verdictOf(rollout);
  const present = steps[step - 1];
  const left = soakWords(soak);
  return (
    <article class="running">
      <div class="running-head">
        <a href={linkTo.rollout(id)}>
          <b>{id}</b>
        </a>
        <PhaseBadge phase={phase} />
        <span>
          {stable} → {version}, {percent(weight)}
        </span>
        <span class="muted">{strategy}</span>
      </div>
      <StepBars steps={steps} soak={soak} />
      <p class="muted">
        {present === undefined
          ? `${stepCount} steps`
          : `Step ${step} of ${stepCount}, ${present.name}: ${present.summary}`}
        {left !== null && ` · ${left}`}
      </p>
      <div class={`verdict verdict-${tone}`}>
        <b>{title}</b>
        <p>{text}</p>
      </div>
      <p>
        <a href={linkTo.rollout(id)}>Watch it, promote, pause, roll back</a>
      </p>
    </article>
  );
}

function Ended({ rollout }: { readonly rollout: RolloutSummary }): JSX.Element {
  const { id, version, phase, endedAt, outcome } = rollout;
  const took = tookOf(rollout, Date.now());
  return (
    <li>
      <div class="running-head">
        <a href={linkTo.rollout(id)}>{id}</a>
        <PhaseBadge phase={phase} />
        <span>{version}</span>
        <span class="muted">
          {endedAt !== null && ago(endedAt, Date.now())}
          {took !== null && `, took ${duration(took)}`}
        </span>
      </div>
      {outcome !== null && <p class="muted">{sentence(outcome)}</p>}
    </li>
  );
}

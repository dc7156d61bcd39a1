/**
 * One rollout: how it stands and what can be done about it at the top, then what Sluice knows, then how it came here.
 *
 *     head: verdict, buttons, steps ─▶ decision (once there is one) ─▶ evidence ─▶ both versions ─▶ conditions ─▶ timeline │ approvals, way back, risk
 */
import type { JSX } from 'preact';
import type { RolloutView } from '../api/views.ts';
import { ago, date, duration, percent } from '../format.ts';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { PhaseBadge } from '../ui/badges.tsx';
import { FactList } from '../ui/fact-list.tsx';
import { Empty, Missing, Panel } from '../ui/panel.tsx';
import { Stepper } from '../ui/stepper.tsx';
import { ConditionsPanel } from './rollout/conditions.tsx';
import { DecisionPanel } from './rollout/decision-panel.tsx';
import { downloadReport } from './rollout/download.ts';
import { EvidencePanel } from './rollout/evidence-panel.tsx';
import { useRollout } from './rollout/following.ts';
import { ApprovalsPanel, RiskPanel, WayBackPanel } from './rollout/settled.tsx';
import { Sides } from './rollout/sides.tsx';
import { Timeline } from './rollout/timeline.tsx';
import { VerbButtons } from './rollout/verb-buttons.tsx';
import { verdictOf } from './rollout/verdict.ts';
import { isOver, sentence } from './rollout/words.ts';

export function RolloutPage({ now, id }: { readonly now: Live; readonly id: string }): JSX.Element {
  const { rollout, report, failure } = useRollout(now, id);
  if (rollout === null) {
    return failure === null ? (
      <Empty>Loading …</Empty>
    ) : (
      <Missing title={sentence(failure)}>
        <a href={linkTo.rollouts()}>To all rollouts</a>
      </Missing>
    );
  }
  const ending = isOver(rollout.phase) || rollout.phase === 'RollingBack';
  return (
    <>
      <Head rollout={rollout} now={now} />
      {report?.decision != null && (
        <DecisionPanel phase={rollout.phase} decision={report.decision} steps={report.steps} isShort={ending} />
      )}
      <EvidencePanel rollout={rollout} points={now.evidence.get(id) ?? []} />
      <Sides rollout={rollout} report={report} />
      <ConditionsPanel conditions={rollout.conditions} rules={rollout.rules} over={ending} />
      <div class="columns">
        <Panel title="Timeline" aside={<a href={linkTo.report(id)}>all of it in the report</a>}>
          <Timeline entries={rollout.timeline} />
        </Panel>
        <div class="stack">
          <ApprovalsPanel approvals={rollout.approvals} />
          <WayBackPanel rollback={rollout.rollback} version={rollout.version} />
          <RiskPanel risk={rollout.risk} />
        </div>
      </div>
    </>
  );
}

function Head({ rollout, now }: { readonly rollout: RolloutView; readonly now: Live }): JSX.Element {
  const { id, service, version, stable, strategy, phase, startedBy, createdAt, startedAt, endedAt, reason, retryOf } =
    rollout;
  const { tone, title, text } = verdictOf(rollout);
  const over = isOver(phase);
  const at = Date.now();
  return (
    <section class={`panel rollout-head ${tone === 'calm' ? '' : `tone-${tone}`}`} aria-labelledby="rollout-title">
      <header class="rollout-title">
        <h1 id="rollout-title">
          <a href={linkTo.service(service)}>{service}</a>{' '}
          <span class="versions-arrow">
            <span class="lane-stable">{stable}</span> → <span class="lane-canary">{version}</span>
          </span>
        </h1>
        <PhaseBadge phase={phase} />
        <VerbButtons rollout={rollout} service={now.state?.services.find(({ name }) => name === service) ?? null} />
      </header>
      <p class="visually-hidden" role="status">
        {id}: {title}
      </p>
      <div class={`verdict verdict-${tone}`}>
        <b>{title}</b>
        <p>{text}</p>
      </div>
      <Stepper
        steps={rollout.steps}
        soak={rollout.soak}
        present={phase === 'Paused' ? 'paused' : 'now'}
        over={over || phase === 'RollingBack'}
      />
      <FactList
        facts={[
          ['rollout', id],
          ['strategy', strategy],
          ['step', rollout.step === 0 ? 'not begun' : `${rollout.step} of ${rollout.stepCount}`],
          over ? null : [`weight of ${version}`, percent(rollout.weight)],
          ['started by', startedBy],
          [startedAt === null ? 'created' : 'began', <When key="at" iso={startedAt ?? createdAt} now={at} />],
          endedAt === null ? null : ['ended', <When key="ended" iso={endedAt} now={at} />],
          endedAt === null || startedAt === null
            ? null
            : ['took', duration(Date.parse(endedAt) - Date.parse(startedAt))],
          reason === '' ? null : ['reason', reason],
          retryOf === null
            ? null
            : [
                'retry of',
                <a key="retry" href={linkTo.rollout(retryOf)}>
                  {retryOf}
                </a>,
              ],
          [
            'report',
            <>
              <a href={linkTo.report(id)}>read</a>
              <button type="button" class="link" onClick={() => void downloadReport(id)}>
                Markdown
              </button>
            </>,
          ],
        ]}
      />
    </section>
  );
}

const When = ({ iso, now }: { readonly iso: string; readonly now: number }): JSX.Element => (
  <time dateTime={iso} title={date(iso)}>
    {ago(iso, now)}
  </time>
);

/**
 * The report of a rollout as a page to read and to print: how it came out, on what grounds, step by step, everything that happened.
 */
import type { ComponentChildren, JSX } from 'preact';
import type { RolloutReport } from '../api/report-views.ts';
import { date, duration, number } from '../format.ts';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { PhaseBadge } from '../ui/badges.tsx';
import { FactList } from '../ui/fact-list.tsx';
import { Empty, Failure } from '../ui/panel.tsx';
import { TableScroll } from '../ui/table-scroll.tsx';
import { DecisionBody } from './rollout/decision-panel.tsx';
import { downloadReport } from './rollout/download.ts';
import { useReport } from './rollout/following.ts';
import { EvidenceTable, RequestTable, StepConditions, StepTable } from './rollout/report-tables.tsx';
import { ApprovalTable, RiskItems } from './rollout/settled.tsx';
import { kindWords } from './rollout/timeline.tsx';
import { isOver, sentence } from './rollout/words.ts';

export function ReportPage({ now, id }: { readonly now: Live; readonly id: string }): JSX.Element {
  const { data, failure } = useReport(now, id);
  if (data === null) return failure === null ? <Empty>Loading …</Empty> : <Failure message={failure} />;
  return <Report report={data} failure={failure} />;
}

function Report({ report, failure }: { readonly report: RolloutReport; readonly failure: string | null }): JSX.Element {
  const { id, service, version, stable, phase, outcome, decision, steps, approvals, risk, timeline } = report;
  return (
    <article class="panel report">
      <header class="rollout-title">
        <h1>
          Rollout of {service} {version}
        </h1>
        <PhaseBadge phase={phase} />
        <div class="buttons">
          <a class="button" href={linkTo.rollout(id)}>
            To the rollout
          </a>
          <button type="button" class="button" onClick={() => void downloadReport(id)}>
            Markdown
          </button>
          <button type="button" class="button" onClick={() => print()}>
            Print
          </button>
        </div>
      </header>
      {failure !== null && <Failure message={failure} />}
      <p class="report-outcome">
        {outcome === null ? 'It is not over yet; this is what there is so far.' : sentence(outcome)}
      </p>
      <Facts report={report} />
      {decision !== null && (
        <Section title={decision.cause === 'incident' ? 'Why it was held' : 'Decision'}>
          <DecisionBody decision={decision} steps={steps} isShort={false} />
        </Section>
      )}
      <Section title="Steps">
        {steps.length === 0 ? <Empty>No step has begun.</Empty> : <StepTable steps={steps} over={isOver(phase)} />}
      </Section>
      <Section title={`Requests: ${version} beside ${stable}`}>
        <RequestTable report={report} />
      </Section>
      <EvidenceSection report={report} />
      {steps.some(({ conditions }) => conditions.length > 0) && (
        <Section title="Conditions, as they were at the end of each step">
          <StepConditions steps={steps} />
        </Section>
      )}
      {approvals.length > 0 && (
        <Section title="Approvals">
          <ApprovalTable approvals={approvals} />
        </Section>
      )}
      <Section title={`Risk of the start: ${number(risk.score)} of 100`}>
        <RiskItems risk={risk} />
      </Section>
      <Section title="Timeline">
        <TableScroll label="Timeline">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">What</th>
                <th scope="col">In words</th>
              </tr>
            </thead>
            <tbody>
              {timeline.map(({ at, kind, message }, index) => (
                <tr key={`${index} ${at}`}>
                  <td class="nowrap">{date(at)}</td>
                  <td class="nowrap">{kindWords(kind)}</td>
                  <td class="wide">{sentence(message)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      </Section>
    </article>
  );
}

const Section = ({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element => (
  <section>
    <h2>{title}</h2>
    {children}
  </section>
);

function EvidenceSection({ report: { steps } }: { readonly report: RolloutReport }): JSX.Element | null {
  const some = steps.some(({ evidence }) => evidence?.tests.some(({ state }) => state !== 'off') === true);
  if (!some) return null;
  return (
    <Section title="Evidence, as it was at the end of each step">
      <EvidenceTable steps={steps} />
    </Section>
  );
}

function Facts({ report }: { readonly report: RolloutReport }): JSX.Element {
  const { id, stable, strategy, startedBy, createdAt, startedAt, endedAt, totals, rollback } = report;
  const users = [totals.canary, totals.stable].flatMap((total) =>
    total === null ? [] : [`${number(total.userErrors)} on ${total.version}`],
  );
  return (
    <FactList
      facts={[
        ['rollout', id],
        ['compared with', stable],
        ['strategy', strategy],
        ['started by', startedBy],
        ['created', date(createdAt)],
        startedAt === null ? null : ['began', date(startedAt)],
        endedAt === null ? null : ['ended', date(endedAt)],
        report.duration === null ? null : ['took', duration(report.duration)],
        users.length === 0 ? null : ['errors that users got', users.join(', ')],
        rollback === null
          ? null
          : [
              'way back',
              `${rollback.mode === 'immediate' ? 'at once' : 'step by step'}; ${rollback.drained ? 'drained' : 'not drained yet'}`,
            ],
        rollback === null
          ? null
          : [
              'state afterwards',
              rollback.verified === null
                ? 'not checked yet'
                : rollback.verified.ok
                  ? 'as before the start'
                  : rollback.verified.differences.join('; '),
            ],
      ]}
    />
  );
}

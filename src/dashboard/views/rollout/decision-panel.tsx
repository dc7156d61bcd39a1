/**
 * The decision record: why the version was taken back, held, or not begun with, as it was known at that moment, and how long it took.
 */
import type { JSX } from 'preact';
import type { Decision, FailedRequest, StepRecord } from '../../api/report-views.ts';
import type { Phase } from '../../api/views.ts';
import { clock, date, latency, NOTHING, percent } from '../../format.ts';
import { Panel } from '../../ui/panel.tsx';
import { TableScroll } from '../../ui/table-scroll.tsx';
import { ConditionTable } from './conditions.tsx';
import { TestList } from './evidence-panel.tsx';
import { causeWords, conditionsThen, momentsOf, offAfter, whereOf } from './moments.ts';
import { evidenceNotes, sentence } from './words.ts';

export interface DecisionProps {
  readonly decision: Decision;
  /** Those that have begun. */
  readonly steps: readonly Pick<StepRecord, 'index' | 'name' | 'conditions'>[];
  /** Whether evidence and conditions are left out, where they stand beside it anyway. */
  readonly isShort: boolean;
}

export function DecisionPanel({ phase, ...props }: DecisionProps & { readonly phase: Phase }): JSX.Element {
  return (
    <Panel
      title={titleOf(props.decision, phase)}
      aside={<span class="muted">the decision record, as written at that moment</span>}
      class="decision"
    >
      <DecisionBody {...props} />
    </Panel>
  );
}

function titleOf({ cause }: Decision, phase: Phase): string {
  if (cause === 'incident') return phase === 'Paused' ? 'Why it is held' : 'Why it was held';
  return phase === 'Failed' ? 'Why it did not begin' : 'Why it was taken back';
}

/** Without a frame, for the report as well. */
export function DecisionBody({ decision, steps, isShort }: DecisionProps): JSX.Element {
  const { at, cause, reason, by, weight, failures } = decision;
  const then = conditionsThen(decision, steps);
  const evidence = isShort ? null : decision.evidence;
  const tests = (evidence?.tests ?? []).filter(({ state }) => state !== 'off');
  const off = offAfter(decision);
  return (
    <>
      <p>
        <b>{sentence(causeWords(cause))}</b> {sentence(reason)}{' '}
        <span class="muted">
          Decided by {by} {whereOf(decision, steps)}, at {percent(weight)}, {date(at)}.
        </span>
      </p>
      <Moments decision={decision} />
      {off !== null && <p class="decision-off">{off}</p>}
      <div class="columns">
        {tests.length > 0 && (
          <section>
            <h3>Evidence then</h3>
            <TestList tests={tests} notes={evidence === null ? [] : evidenceNotes(evidence)} />
          </section>
        )}
        {failures.length > 0 && (
          <section>
            <h3>The requests that failed last</h3>
            <FailureTable failures={failures} />
          </section>
        )}
      </div>
      {!isShort && then.conditions.length > 0 && (
        <ConditionTable conditions={then.conditions} caption="Conditions of the step, then" />
      )}
      {!isShort && then.rules.length > 0 && (
        <ConditionTable conditions={then.rules} caption="Rules of rollbackWhen, then" isRule />
      )}
    </>
  );
}

function Moments({ decision }: { readonly decision: Decision }): JSX.Element | null {
  const moments = momentsOf(decision);
  if (moments.length < 2) return null;
  return (
    <ol class="moments">
      {moments.map(({ name, at, after }) => (
        <li key={name}>
          <b>{after ?? clock(at)}</b>
          <span>{name}</span>
          <time class="muted" dateTime={at}>
            {at.slice(11, 23)} UTC
          </time>
        </li>
      ))}
    </ol>
  );
}

const FailureTable = ({ failures }: { readonly failures: readonly FailedRequest[] }): JSX.Element => (
  <TableScroll label="Requests that failed" class="failures">
    <table>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Request</th>
          <th scope="col">Result</th>
          <th scope="col" class="number">
            After
          </th>
          <th scope="col">Route</th>
          <th scope="col">Endpoint</th>
          <th scope="col">Request id</th>
        </tr>
      </thead>
      <tbody>
        {failures.toReversed().map(({ at, method, path, status, flag, duration, route, endpoint, requestId }) => (
          <tr key={`${at} ${requestId}`}>
            <td title={date(at)}>{clock(at)}</td>
            <td class="mono">
              {method} {path}
            </td>
            <td>{[status === 0 ? 'no answer' : String(status), flag].filter((word) => word !== '').join(' ')}</td>
            <td class="number">{latency(duration)}</td>
            <td>{route === '' ? NOTHING : route}</td>
            <td class="mono">{endpoint}</td>
            <td class="mono">{requestId}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </TableScroll>
);

/**
 * The tables of a report: each step, what both versions did while it lasted, the evidence and the conditions at its end.
 */
import type { JSX } from 'preact';
import type { RolloutReport, StepRecord, VersionSummary } from '../../api/report-views.ts';
import { date, duration, latency, NOTHING, number, percent } from '../../format.ts';
import { Badge, StatusBadge } from '../../ui/badges.tsx';
import { TableScroll } from '../../ui/table-scroll.tsx';
import { eValue, sentence, shareOf, TEST_STATES, TEST_WORDS } from './words.ts';

const RESULT_TONES: Readonly<Record<NonNullable<StepRecord['result']>, 'good' | 'bad' | 'calm'>> = {
  ...{ passed: 'good', promoted: 'good', skipped: 'calm', failed: 'bad' },
};

const RESULT_WORDS: Readonly<Record<NonNullable<StepRecord['result']>, string>> = {
  ...{ passed: 'passed', promoted: 'promoted by hand', skipped: 'skipped', failed: 'failed' },
};

export const StepTable = ({
  steps,
  over,
}: {
  readonly steps: readonly StepRecord[];
  readonly over: boolean;
}): JSX.Element => (
  <TableScroll label="Steps">
    <table>
      <thead>
        <tr>
          <th scope="col" class="number">
            Step
          </th>
          <th scope="col">Name</th>
          <th scope="col">Kind</th>
          <th scope="col" class="number">
            Weight
          </th>
          <th scope="col">Began</th>
          <th scope="col" class="number">
            Took
          </th>
          <th scope="col">Result</th>
        </tr>
      </thead>
      <tbody>
        {steps.map(({ index, name, kind, weight, startedAt, endedAt, result }) => (
          <tr key={`${index} ${startedAt}`}>
            <td class="number">{index + 1}</td>
            <th scope="row">{name}</th>
            <td>{kind}</td>
            <td class="number">{percent(weight)}</td>
            <td class="nowrap">{date(startedAt)}</td>
            <td class="number">{endedAt === null ? NOTHING : duration(Date.parse(endedAt) - Date.parse(startedAt))}</td>
            <td>
              {result === null ? (
                <Badge tone="busy">{over ? 'ended' : 'under way'}</Badge>
              ) : (
                <Badge tone={RESULT_TONES[result]}>{RESULT_WORDS[result]}</Badge>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </TableScroll>
);

export function RequestTable({ report }: { readonly report: RolloutReport }): JSX.Element {
  const counted = report.steps.filter(({ weight, canary }) => weight > 0 || (canary?.requests ?? 0) > 0);
  const places = [
    ...counted.map((step) => ({ place: step.name, key: `${step.index} ${step.startedAt}`, ...step })),
    { place: 'all', key: 'all', ...report.totals },
  ];
  return (
    <TableScroll label="Requests of each step">
      <table class="report-requests">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Version</th>
            {['Requests', 'Failed', 'Share', 'p50', 'p95', 'p99', 'Shielded', 'Users’ errors'].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        {places.map(({ place, key, canary, stable }) => (
          <tbody key={key} class={key === 'all' ? 'sum' : ''}>
            {[canary, stable].map((summary, index) =>
              summary === null ? null : (
                <tr key={summary.version}>
                  {(index === 0 || canary === null) && (
                    <th scope="rowgroup" rowSpan={canary !== null && stable !== null ? 2 : 1}>
                      {place}
                    </th>
                  )}
                  <SummaryCells summary={summary} lane={index === 0 ? 'canary' : 'stable'} />
                </tr>
              ),
            )}
          </tbody>
        ))}
      </table>
    </TableScroll>
  );
}

const SummaryCells = ({ summary, lane }: { readonly summary: VersionSummary; readonly lane: string }): JSX.Element => {
  const { version, requests, errors, p50, p95, p99, shielded, userErrors } = summary;
  return (
    <>
      <td>
        <span class={`version-mark lane-${lane}`}>
          <i aria-hidden="true" />
          {version}
        </span>
      </td>
      <td class="number">{number(requests)}</td>
      <td class="number">{number(errors)}</td>
      <td class="number">{percent(shareOf(errors, requests))}</td>
      <td class="number">{latency(p50)}</td>
      <td class="number">{latency(p95)}</td>
      <td class="number">{latency(p99)}</td>
      <td class="number">{number(shielded)}</td>
      <td class="number">{number(userErrors)}</td>
    </>
  );
};

export const EvidenceTable = ({ steps }: { readonly steps: readonly StepRecord[] }): JSX.Element => (
  <TableScroll label="Evidence of each step">
    <table>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Test</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            E-value
          </th>
          <th scope="col" class="number">
            Enough
          </th>
          <th scope="col">In words</th>
        </tr>
      </thead>
      <tbody>
        {steps.flatMap(({ index, name, startedAt, evidence, weight, canary }) =>
          (weight > 0 || (canary?.requests ?? 0) > 0 ? (evidence?.tests ?? []) : [])
            .filter(({ state }) => state !== 'off')
            .map(({ test, state, logE, threshold, message }) => (
              <tr key={`${index} ${startedAt} ${test}`}>
                <th scope="row">{name}</th>
                <td class="test-name">{TEST_WORDS[test].title}</td>
                <td>
                  <Badge tone={state === 'crossed' ? 'bad' : 'calm'}>{TEST_STATES[state]}</Badge>
                </td>
                <td class="number">{eValue(logE)}</td>
                <td class="number">{threshold === null ? NOTHING : eValue(threshold)}</td>
                <td class="wide muted">{sentence(message)}</td>
              </tr>
            )),
        )}
      </tbody>
    </table>
  </TableScroll>
);

export const StepConditions = ({ steps }: { readonly steps: readonly StepRecord[] }): JSX.Element => (
  <TableScroll label="Conditions of each step">
    <table>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Condition</th>
          <th scope="col">Result</th>
          <th scope="col">In words</th>
        </tr>
      </thead>
      <tbody>
        {steps.flatMap(({ index, name, startedAt, conditions }) =>
          conditions.map(({ condition, status, message }) => (
            <tr key={`${index} ${startedAt} ${condition}`}>
              <th scope="row">{name}</th>
              <td>
                <code>{condition}</code>
              </td>
              <td>
                <StatusBadge status={status} />
              </td>
              <td class="wide muted">{sentence(message)}</td>
            </tr>
          )),
        )}
      </tbody>
    </table>
  </TableScroll>
);

/**
 * The report of a rollout as a page in Markdown, to be pasted into a ticket, a pull request or a chat.
 *
 * The order is that of a reader in a hurry: how it came out, the facts, what was decided on what grounds, then step by step, and the
 * timeline at the end. Sections with nothing in them are left out. Every value goes through `plain`, because most of them were
 * written by somebody else; what was not measured is a dash.
 */
import type { ConditionResult, EvidenceReading } from '../analysis/verdict.ts';
import { count, eValue, latency, NOTHING, percent, sentence, shareOf, span } from './figures.ts';
import { plain, table } from './markdown-text.ts';
import type { FailedRequestRecord, StepRecord, VersionSummary } from './rollout.ts';
import type { RolloutReport, Shown } from './view.ts';

type Lines = readonly string[];
type Step = Shown<StepRecord>;
type Decision = NonNullable<RolloutReport['decision']>;

export function reportMarkdown(report: RolloutReport): string {
  const { steps, decision } = report;
  const parts: Lines[] = [
    [`# Rollout of ${plain(report.service)} ${plain(report.version)}`],
    report.outcome === null ? [] : [`**Outcome:** ${plain(report.outcome)}`],
    table(['', ''], facts(report)),
    ...(decision === null ? [] : decisionParts(decision)),
    ...section('## Steps', stepTable(steps)),
    ...section('## Requests', requestTable(report)),
    ...section('## Evidence', evidenceTable(steps.filter(hasTraffic).map(({ name, evidence }) => [name, evidence]))),
    ...section('## Conditions', conditionTable(steps.map(({ name, conditions }) => [name, conditions]))),
    ...section('## Approvals', approvalTable(report)),
    ...section(`## Risk: ${count(report.risk.score)} of 100`, riskTable(report)),
    ...section('## Timeline', timelineTable(report)),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

const section = (heading: string, body: Lines): Lines[] => (body.length === 0 ? [] : [[heading], body]);

function facts(report: RolloutReport): string[][] {
  const { rollback, totals, duration } = report;
  const drained = rollback?.drained ? 'nothing in flight any more' : `${count(rollback?.inFlight ?? 0)} in flight`;
  const users = [totals.canary, totals.stable].flatMap((total) =>
    total === null ? [] : [`${count(total.userErrors)} on ${total.version}`],
  );
  return [
    ['Rollout', report.id],
    ['Compared with', report.stable],
    ['Strategy', report.strategy],
    ['Phase', report.phase],
    ['Started by', report.startedBy],
    ['Created', report.createdAt],
    ['Began', report.startedAt ?? NOTHING],
    ['Ended', report.endedAt ?? NOTHING],
    ['Took', duration === null ? NOTHING : span(duration)],
    ['Errors that users got', users.length === 0 ? NOTHING : users.join(', ')],
    ...(rollback === null
      ? []
      : [
          ['Way back', `${rollback.mode}; ${drained}`],
          ['State afterwards', verified(rollback.verified)],
        ]),
  ];
}

function verified(found: NonNullable<RolloutReport['rollback']>['verified']): string {
  if (found === null) return 'not checked yet';
  return found.ok ? 'as before the start' : found.differences.join('; ');
}

function decisionParts(decision: Decision): Lines[] {
  const { at, cause, by, step, weight, reason, evidence, conditions, rules, failures } = decision;
  const after = (time: string | null): string =>
    time === null || decision.firstFailureAt === null
      ? NOTHING
      : span(Date.parse(time) - Date.parse(decision.firstFailureAt));
  const moments = [
    ['First failed request', decision.firstFailureAt],
    ['Taken out of the split', decision.closedAt],
    ['Weight 0 on every worker', decision.acknowledgedAt],
  ] as const;
  return [
    ['## Decision'],
    [
      `**${plain(cause)}**, by ${plain(by)}, ${step < 0 ? 'before the first step' : `in step ${step + 1}`} at ${percent(weight)}, ${at}: ${plain(sentence(reason))}`,
    ],
    table(
      ['moment', 'time', '>after the first failure'],
      moments.flatMap(([name, time]) => (time === null ? [] : [[name, time, after(time)]])),
    ),
    ...section('### Evidence then', evidenceTable([['', evidence]])),
    ...section(
      rules === undefined ? '### Conditions and rules then' : '### Conditions then',
      conditionTable([['', conditions]], rules === undefined ? TRUTH : RESULTS),
    ),
    ...section('### Rules of rollbackWhen then', conditionTable([['', rules ?? []]], MET, 'rule')),
    ...section('### Requests that failed last', failureTable(failures)),
  ];
}

const failureTable = (failures: readonly Shown<FailedRequestRecord>[]): string[] =>
  table(
    ['time', 'request', 'route', 'result', '>after', 'endpoint', 'request id'],
    failures.map(({ at, method, path, route, status, flag, duration, endpoint, requestId }) => [
      at,
      `${method} ${path}`,
      route === '' ? NOTHING : route,
      [status === 0 ? '' : String(status), flag].filter((word) => word !== '').join(' '),
      latency(duration),
      ...[endpoint, requestId],
    ]),
  );

const stepTable = (steps: readonly Step[]): string[] =>
  table(
    ['>step', 'name', 'kind', '>weight', 'began', '>took', 'result'],
    steps.map(({ index, name, kind, weight, startedAt, endedAt, result }) => [
      ...[String(index + 1), name, kind, percent(weight), startedAt],
      endedAt === null ? NOTHING : span(Date.parse(endedAt) - Date.parse(startedAt)),
      result ?? 'under way',
    ]),
  );

/** A step without weight and without requests had nothing to count, and one with weight and none is worth a row of zeros. */
const hasTraffic = ({ weight, canary }: Step): boolean => weight > 0 || (canary?.requests ?? 0) > 0;

const LATENCIES = ['p50', 'p95', 'p99', 'p999'] as const;

function requestTable({ steps, totals }: RolloutReport): string[] {
  const row = (place: string, summary: VersionSummary): string[] => [
    ...[place, summary.version, count(summary.requests), count(summary.errors)],
    shareOf(summary.errors, summary.requests),
    ...LATENCIES.map((name) => latency(summary[name])),
    ...[count(summary.userErrors), count(summary.shielded)],
  ];
  const rows = (place: string, { canary, stable }: RolloutReport['totals']): string[][] =>
    [canary, stable].flatMap((summary) => (summary === null ? [] : [row(place, summary)]));
  return table(
    [
      ...['step', 'version', '>requests', '>errors', '>error %'],
      ...LATENCIES.map((name) => `>${name}`),
      ...['>user errors', '>shielded'],
    ],
    [...steps.filter(hasTraffic).flatMap((step) => rows(step.name, step)), ...rows('all', totals)],
  );
}

/** Of several places the first column says which; of one it is left out. */
function placed<T>(
  columns: readonly string[],
  places: readonly (readonly [place: string, values: readonly T[]])[],
  cells: (value: T) => readonly string[],
): string[] {
  const named = places.some(([place]) => place !== '');
  return table(
    named ? ['step', ...columns] : columns,
    places.flatMap(([place, values]) => values.map((value) => (named ? [place, ...cells(value)] : cells(value)))),
  );
}

const evidenceTable = (
  places: readonly (readonly [place: string, evidence: EvidenceReading | null])[],
): readonly string[] =>
  placed(
    ['test', 'state', '>e-value', '>needed', 'in words'],
    places.map(([place, evidence]) => [place, (evidence?.tests ?? []).filter(({ state }) => state !== 'off')]),
    ({ test, state, logE, threshold, message }) => [
      ...[test, state, eValue(logE), threshold === null ? NOTHING : eValue(threshold), message],
    ],
  );

type Results = Readonly<Record<ConditionResult['status'], string>>;

/** The same result is good of a condition, and of a rule it is what takes the version back. */
const RESULTS: Results = { pass: 'pass', fail: 'fail', inconclusive: 'inconclusive', error: 'error' };
const MET: Results = { ...RESULTS, pass: 'met', fail: 'not met' };
/** Of a list in which they are not told apart. */
const TRUTH: Results = { ...RESULTS, pass: 'true', fail: 'false' };

const conditionTable = (
  places: readonly (readonly [place: string, conditions: readonly ConditionResult[]])[],
  results: Results = RESULTS,
  what = 'condition',
): readonly string[] =>
  placed([what, 'result', 'in words'], places, ({ condition, status, message }) => [
    ...[condition, results[status] ?? status, message],
  ]);

const approvalTable = ({ approvals }: RolloutReport): string[] =>
  table(
    ['approver', 'role', 'time', 'holds until', 'signed'],
    approvals.map(({ approver, role, at, expires, signed }) => [
      ...[approver, role, at, expires, signed ? 'yes' : 'no'],
    ]),
  );

const riskTable = ({ risk }: RolloutReport): string[] =>
  table(
    ['item', '>points', 'in words'],
    risk.items.map(({ name, points, message }) => [name, count(points), message]),
  );

const timelineTable = ({ timeline }: RolloutReport): string[] =>
  table(
    ['time', 'what', 'in words'],
    timeline.map(({ at, kind, message }) => [at, kind === 'verb' ? 'by hand' : kind, message]),
  );

/**
 * The head of the page: what is rolled out and how it stands, the step with the time or requests that it still needs, what it waits for, and the
 * split.
 */
import type { RolloutView } from '../../../control/rollout/view.ts';
import { count, share, span, time, timeOfDay } from '../../client/format.ts';
import { printable } from '../../client/printable.ts';
import type { Paint } from '../../client/table.ts';
import { riskTone } from '../risk-text.ts';
import { phaseTone } from '../summary-text.ts';
import { bar, splitBar } from './bars.ts';
import { folded } from './clip.ts';
import { LABEL_WIDTH, labelled } from './labelled.ts';

/** Lines that a sentence may have on the page. */
const MOST_LINES = 3;

export function titleLines(view: RolloutView, columns: number, paint: Paint): string[] {
  const { id, service, version, stable, strategy, phase, startedBy, startedAt, createdAt, risk, outcome } = view;
  const what = `${paint(printable(service), 'strong')}  ${printable(`${version} against ${stable}`)}`;
  const since = `by ${startedBy}, ${startedAt === null ? `asked for ${time(createdAt)}` : `since ${time(startedAt)}`}`;
  return [
    `${paint(printable(phase), phaseTone(phase))}  ${what}  ${printable(`strategy ${strategy}`)}`,
    `${paint(printable(`${id}  ${since}`), 'faint')}  risk ${paint(String(risk.score), riskTone(risk.score))}`,
    ...(outcome === null ? [] : folded(printable(outcome), columns, MOST_LINES)),
  ];
}

export function stateLines(view: RolloutView, columns: number, paint: Paint): string[] {
  const { needs, waiting } = view;
  return [
    ...labelled('Step', [stepText(view, paint)], paint),
    ...labelled('Time', soakTexts(view, columns, paint), paint),
    ...labelled('Needs', needs === null ? [] : [needsText(needs)], paint),
    ...labelled('Paused', pauseTexts(view, paint), paint),
    ...labelled('Waits', waiting === null || isSaid(view) ? [] : beside(waiting, columns), paint),
    ...labelled('Approvals', approvalTexts(view), paint),
    ...labelled('Rollback', rollbackTexts(view, paint), paint),
    ...labelled('Weights', [weightText(view, columns, paint)], paint),
  ];
}

/** Whether what it waits for stands elsewhere on the page. */
const isSaid = ({ waiting, outcome, approvals }: RolloutView): boolean =>
  outcome !== null || waiting === approvals.missing;

const beside = (text: string, columns: number): string[] => folded(printable(text), columns - LABEL_WIDTH, MOST_LINES);

function stepText({ step, stepCount, steps }: RolloutView, paint: Paint): string {
  const present = steps[step - 1];
  if (present === undefined) return `none yet, of ${stepCount}`;
  const name = paint(printable(present.name), 'strong');
  return `${step} of ${stepCount}  ${name}  ${printable(present.summary)}`;
}

/** Longest numbers beside a bar, and the widest bar where the page has no end. */
const BESIDE = 34;
const WIDEST = 40;
const NARROWEST = 10;

export const barWidth = (columns: number, beside: number): number =>
  Number.isFinite(columns) ? Math.max(NARROWEST, columns - LABEL_WIDTH - beside) : WIDEST;

function soakTexts({ soak }: RolloutView, columns: number, paint: Paint): string[] {
  if (soak === null) return [];
  const part = soak.for <= 0 ? 1 : soak.soaked / soak.for;
  const left = soak.left > 0 ? `${span(Math.ceil(soak.left / 1000) * 1000)} left` : 'over';
  return [`${paint(bar(part, barWidth(columns, BESIDE)), 'good')}  ${span(soak.soaked)} of ${span(soak.for)}, ${left}`];
}

/** The message is one sentence already where the server has made one. */
function needsText({ requests, at, message }: NonNullable<RolloutView['needs']>): string {
  if (message !== '') return printable(message);
  return `${count(requests)} more requests${at === null ? '' : `, about ${timeOfDay(printable(at))}`}`;
}

const UNTIL: Readonly<Record<NonNullable<RolloutView['pause']>['until'], string>> = {
  manual: 'until it is resumed',
  approval: 'until it is approved',
  time: 'until its time is over',
};

function pauseTexts({ pause }: RolloutView, paint: Paint): string[] {
  if (pause === null) return [];
  const reason = pause.reason === '' ? '' : `: ${pause.reason}`;
  const text = `by ${pause.by} since ${timeOfDay(pause.since)}, ${UNTIL[pause.until] ?? pause.until}${reason}`;
  return [paint(printable(text), 'warning')];
}

/** Only where somebody has approved or has to. */
function approvalTexts({ approvals: { required, given, missing } }: RolloutView): string[] {
  if (missing === null && given.length === 0) return [];
  const who = given.map(({ approver, role }) => `${approver} (${role})`).join(', ');
  const facts = [
    `${given.length} of ${required}`,
    ...(who === '' ? [] : [who]),
    ...(missing === null ? [] : [missing]),
  ];
  return [printable(facts.join('  '))];
}

function rollbackTexts({ rollback, version, stable }: RolloutView, paint: Paint): string[] {
  if (rollback === null) return [];
  const flight = rollback.drained ? `0 in flight on ${version}` : `${count(rollback.inFlight)} in flight on ${version}`;
  const lines = [printable(`${rollback.mode} to ${stable}, ${flight}`)];
  if (rollback.verified === null) return lines;
  const { ok, differences } = rollback.verified;
  if (ok) return [...lines, paint('everything is as it was before the rollout', 'good')];
  return [...lines, paint(printable(`not as it was before: ${differences.join('; ')}`), 'warning')];
}

function weightText({ canary, baseline }: RolloutView, columns: number, paint: Paint): string {
  const left = printable(`${baseline.version} ${share(baseline.weight)}`);
  const right = printable(`${share(canary.weight)} ${canary.version}`);
  const width = barWidth(columns, left.length + right.length + 4);
  return `${left}  ${paint(splitBar(baseline.weight, canary.weight, width), 'strong')}  ${right}`;
}

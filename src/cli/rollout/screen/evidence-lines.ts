/**
 * The evidence as bars: each test from nothing to its threshold, the failure budget, and how far the proof of the SLO is.
 *
 * What is drawn is ln(e) over ln(1/(alpha · share)), so that a bar grows evenly with every failure and is full at the moment of rollback;
 * evidence for the canary (below 0) is an empty bar. A test that is off is not there; one that cannot see anything now says so in place of a bar
 * that would look like a good sign.
 */
import type { EvidenceReading, TestReading } from '../../../control/analysis/verdict.ts';
import { count } from '../../client/format.ts';
import { printable } from '../../client/printable.ts';
import type { Paint, Tone } from '../../client/table.ts';
import { bar } from './bars.ts';

const NAME_WIDTH = 8;

/** @param width columns of a bar */
export function evidenceLines(evidence: EvidenceReading, width: number, paint: Paint): string[] {
  const { tests, budget, proof, bothFail, mismatch } = evidence;
  const lines = tests.filter(({ state }) => state !== 'off').map((test) => testLine(test, width, paint));
  if (budget !== null) {
    const part = budget.max === 0 ? 0 : budget.used / budget.max;
    const text = `${count(budget.used)} of ${count(budget.max)} failed attempts`;
    lines.push(barLine('budget', part, text, width, tone(part, budget.spent), paint));
  }
  if (proof !== null) lines.push(proofLine(proof, width, paint));
  if (bothFail) lines.push(paint('stable fails as well: the canary alone is not to blame', 'warning'));
  if (mismatch !== null) lines.push(paint(printable(mismatch.message), 'warning'));
  return lines;
}

function testLine({ test, state, logE, threshold, message }: TestReading, width: number, paint: Paint): string {
  if (state === 'blind' || threshold === null) {
    return `${printable(test).padEnd(NAME_WIDTH)}  ${paint(printable(message), 'faint')}`;
  }
  const part = logE / threshold;
  const text = `${Math.max(0, logE).toFixed(2)} of ${threshold.toFixed(2)}${state === 'crossed' ? ' crossed' : ''}`;
  return barLine(printable(test), part, text, width, tone(part, state === 'crossed'), paint);
}

function proofLine(proof: NonNullable<EvidenceReading['proof']>, width: number, paint: Paint): string {
  const { logE, threshold, proved, needs } = proof;
  const rest = needs === null ? 'cannot be proved now' : `${count(needs)} more without failure`;
  const part = proved ? 1 : Math.min(logE / threshold, 0.999);
  return barLine('SLO kept', part, proved ? 'proved' : rest, width, proved ? 'good' : 'faint', paint);
}

function barLine(name: string, part: number, text: string, width: number, tone: Tone, paint: Paint): string {
  return `${name.padEnd(NAME_WIDTH)}  ${paint(bar(part, width), tone)}  ${text}`;
}

function tone(part: number, crossed: boolean): Tone {
  if (crossed || part >= 1) return 'bad';
  return part >= 0.5 ? 'warning' : 'good';
}

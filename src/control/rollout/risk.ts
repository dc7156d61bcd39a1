/**
 * The risk score: what speaks against starting this rollout now, 0 to 100, item by item. Pure.
 *
 *     score = Σ points of the row that holds of each item; the worst rows of all items sum to exactly 100
 *
 * A table of points, and no probability: nobody has the data to say how likely a release is to fail, and a number that pretends to know would be
 * believed. What a table can do is to name what careful people look at before they release, always all of it, and to say how much each
 * counts. It is for comparing, and for `approveAboveRisk`. Rows go from good to bad with points that only rise, so nothing that gets worse can
 * lower the score.
 *
 * What is not known is not good: it has points, fewer than what is known to be bad. A number that is none counts as the worst, of the
 * error budget as unknown. Hours are UTC unless told otherwise. docs/risk.md has the same table; a test holds the two together.
 */
import type { StrategyConfig } from '../../model/rollout-config.ts';
import type { Risk, RiskItem } from './rollout.ts';

/** A row of an item: when it holds, in words, and what it counts. */
export interface RiskRow {
  readonly when: string;
  readonly points: number;
}

export const RISK_ITEMS = {
  'first step': [
    { when: 'up to 1 %', points: 0 },
    { when: 'up to 5 %', points: 4 },
    { when: 'up to 10 %', points: 8 },
    { when: 'up to 25 %', points: 12 },
    { when: 'up to 50 %', points: 16 },
    { when: 'more than 50 %', points: 20 },
  ],
  hour: [
    { when: 'from 6 to 22 h', points: 0 },
    { when: 'night, from 22 to 6 h', points: 8 },
  ],
  day: [
    { when: 'Monday to Friday 14 h', points: 0 },
    { when: 'Friday from 14 h', points: 6 },
    { when: 'Saturday and Sunday', points: 8 },
  ],
  'recent rollbacks': [
    { when: 'none of the service in 14 days', points: 0 },
    { when: 'one', points: 6 },
    { when: 'two', points: 11 },
    { when: 'three or more', points: 16 },
  ],
  'error budget': [
    { when: 'at least half is left', points: 0 },
    { when: 'not known', points: 4 },
    { when: 'at least a quarter is left', points: 5 },
    { when: 'at least a tenth is left', points: 9 },
    { when: 'less is left', points: 14 },
  ],
  preflight: [
    { when: 'the version is checked before users get it', points: 0 },
    { when: 'it is not', points: 8 },
  ],
  evidence: [
    { when: 'sequential tests watch the version', points: 0 },
    { when: 'they are off', points: 10 },
  ],
  shield: [
    { when: 'stable answers what the version fails', points: 0 },
    { when: 'it does not', points: 4 },
  ],
  health: [
    { when: 'every endpoint of the version is known to be healthy', points: 0 },
    { when: 'not known', points: 5 },
    { when: 'an endpoint is known not to be', points: 12 },
  ],
} as const satisfies Readonly<Record<string, readonly RiskRow[]>>;

export type RiskName = keyof typeof RISK_ITEMS;

export interface RiskInput {
  /** Names, for the sentences. */
  readonly strategy: string;
  readonly service: string;
  readonly version: string;
  /** When it is to begin, milliseconds since 1970. */
  readonly now: number;
  /** IANA name for hour and day. Default UTC, also for a name that is not known. */
  readonly timeZone?: string;
  /** Of the service, within 14 days. */
  readonly recentRollbacks: number;
  /** 0 to 1: what stable's error rate leaves of what the SLO allows; null: not known. */
  readonly errorBudgetLeft: number | null;
  readonly hasPreflight: boolean;
  /** Percent. */
  readonly firstWeight: number;
  readonly health: 'known good' | 'unknown' | 'bad';
  readonly evidenceOff: boolean;
  /** Whether stable answers what the version fails. */
  readonly hasShield: boolean;
}

export function riskOf(input: RiskInput): Risk {
  const items = [
    firstStep(input),
    ...time(input),
    rollbacks(input),
    errorBudget(input),
    preflight(input),
    evidence(input),
    shield(input),
    health(input),
  ];
  return { score: items.reduce((sum, { points }) => sum + points, 0), items };
}

/** What a strategy itself says of the risk. */
export function strategyRisk({
  steps,
  evidence: { alpha, shares },
}: Pick<StrategyConfig, 'steps' | 'evidence'>): Pick<RiskInput, 'hasPreflight' | 'firstWeight' | 'evidenceOff'> {
  const weights = steps.flatMap((step) =>
    step.kind === 'weight' ? [step.weight] : step.kind === 'ramp' ? [Math.min(step.by, step.to)] : [],
  );
  return {
    hasPreflight: steps.some(({ kind }) => kind === 'preflight'),
    // Promotion gives it everything.
    firstWeight: weights.find((weight) => weight > 0) ?? 100,
    evidenceOff: alpha <= 0 || Object.values(shares).every((share) => share <= 0),
  };
}

/** @param holds for each row but the last. The first that holds counts, and the last where none does. */
function item(name: RiskName, holds: readonly boolean[], message: string): RiskItem {
  const rows: readonly RiskRow[] = RISK_ITEMS[name];
  const at = holds.indexOf(true);
  return { name, points: rows[at < 0 ? rows.length - 1 : at]!.points, message };
}

function firstStep({ firstWeight, version, strategy }: RiskInput): RiskItem {
  const holds = [1, 5, 10, 25, 50].map((most) => firstWeight <= most);
  return item('first step', holds, `The first step of ${strategy} gives ${version} ${firstWeight} % of the users.`);
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

function time({ now, timeZone = 'UTC' }: RiskInput): RiskItem[] {
  const { day, hour, zone } = wall(now, timeZone);
  const isNight = hour < 6 || hour >= 22;
  const isWeekend = day === 'Saturday' || day === 'Sunday';
  const isLateOnFriday = day === 'Friday' && hour >= 14;
  return [
    item('hour', [!isNight], `It begins at ${hour} h ${zone}${isNight ? ', when few people are there to look' : ''}.`),
    item(
      'day',
      [!isWeekend && !isLateOnFriday, isLateOnFriday],
      `It begins on a ${day}${isLateOnFriday ? ' afternoon, just before the weekend' : ''}.`,
    ),
  ];
}

function wall(now: number, timeZone: string): { day: (typeof DAYS)[number]; hour: number; zone: string } {
  const parts = timeZone === 'UTC' ? null : partsOf(now, timeZone);
  const day = DAYS.find((each) => each === parts?.get('weekday'));
  if (day !== undefined) return { day, hour: Number(parts?.get('hour')), zone: timeZone };
  const date = new Date(now);
  return { day: DAYS[date.getUTCDay()]!, hour: date.getUTCHours(), zone: 'UTC' };
}

/** Null for a zone that is not known. */
function partsOf(now: number, timeZone: string): ReadonlyMap<string, string> | null {
  try {
    const format = new Intl.DateTimeFormat('en-US', { weekday: 'long', hour: 'numeric', hourCycle: 'h23', timeZone });
    return new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  } catch {
    return null;
  }
}

function rollbacks({ recentRollbacks: count, service }: RiskInput): RiskItem {
  const times = count === 1 ? 'once' : `${count} times`;
  const message = count === 0 ? `${service} was not rolled back` : `${service} was rolled back ${times}`;
  return item('recent rollbacks', [count <= 0, count <= 1, count <= 2], `${message} within 14 days.`);
}

function errorBudget({ errorBudgetLeft, service }: RiskInput): RiskItem {
  const left = errorBudgetLeft ?? Number.NaN;
  const holds = [left >= 0.5, Number.isNaN(left), left >= 0.25, left >= 0.1];
  const message = Number.isNaN(left)
    ? `How much of its error budget ${service} has left is not known.`
    : `${service} has ${Math.round(left * 1000) / 10} % of its error budget left.`;
  return item('error budget', holds, message);
}

function preflight({ hasPreflight, strategy, version }: RiskInput): RiskItem {
  const message = hasPreflight
    ? `${strategy} checks ${version} before users get it.`
    : `${strategy} has no preflight step: users are the first who try ${version}.`;
  return item('preflight', [hasPreflight], message);
}

function evidence({ evidenceOff, strategy, version }: RiskInput): RiskItem {
  const message = evidenceOff
    ? `${strategy} has its evidence tests turned off: only conditions can take ${version} back.`
    : `Evidence tests take ${version} back as soon as its failures are enough.`;
  return item('evidence', [!evidenceOff], message);
}

function shield({ hasShield, service, version }: RiskInput): RiskItem {
  const message = hasShield
    ? `${service} has a shield: stable answers where ${version} fails.`
    : `${service} has no shield: users see every failure of ${version}.`;
  return item('shield', [hasShield], message);
}

function health({ health: known, version }: RiskInput): RiskItem {
  const message =
    known === 'known good'
      ? `Every endpoint of ${version} is healthy.`
      : known === 'unknown'
        ? `Whether the endpoints of ${version} are healthy is not known: there are no health checks, or no result yet.`
        : `At least one endpoint of ${version} is not healthy.`;
  return item('health', [known === 'known good', known === 'unknown'], message);
}

/**
 * The life of one alert on one version or endpoint, as a pure function of a value and a time.
 *
 *              bad                bad for `for`
 *     ok ───────────────▶ pending ───────────────▶ firing
 *     ▲ │ ◀───not bad─────┘    ▲                      │
 *     │ │ forecast near        │ bad                  │
 *     │ └─────────────────▶ warning                   │
 *     │ ◀──forecast gone────┘                         │
 *     └───── at `clear`, or without data for long ────┘
 *
 * Where `for` is 0, ok and warning go to firing at once; pending that was warned of goes back to warning while the forecast lasts.
 *
 * - ok: the value is not bad, or there is none.
 * - pending: bad since `since`, not yet for long enough. Nobody is told: a value that plays about its threshold makes no noise.
 * - warning: not bad, but the trend crosses the threshold within the alert's forecast. It ends when the crossing is more than twice
 *   as far away, so that a slope that varies a little does not flap.
 * - firing: was bad for long enough and has not come back to `clear` since. Between `clear` and the threshold nothing changes.
 *
 * Bad is strictly beyond the threshold; a value on it is good. No data is never bad: it raises nothing and ends what has not fired.
 * A firing alert stays without data, because what was bad is not known to be good, until `expireAfter` has passed: a rolled-back
 * version without traffic must not be marked for ever. All transitions are in {@link step}.
 */
import type { AlertConfig } from '../../model/policy-config.ts';

export type AlertPhase = 'ok' | 'pending' | 'warning' | 'firing';

/** What handlers get to hear of; `pending` is kept from them. */
export type AlertNews = Exclude<AlertPhase, 'pending'>;

export interface AlertState {
  readonly phase: AlertPhase;
  /** When the phase began, milliseconds on the caller's clock. */
  readonly since: number;
  /** The last phase that handlers were told of: when it changes, they are told. */
  readonly told: AlertNews;
  /** When there was last a value. */
  readonly lastData: number;
}

export interface Reading {
  readonly value: number | null;
  /** Milliseconds until the threshold is crossed the bad way, or null. */
  readonly forecast: number | null;
}

type Rule = Pick<AlertConfig, 'when' | 'threshold' | 'clear' | 'for' | 'forecast'>;

/** A warning ends when the crossing is this much farther away than what raised it. */
const WARNING_SLACK = 2;

export const initialState = (now: number): AlertState => ({ phase: 'ok', since: now, told: 'ok', lastData: now });

export function step(rule: Rule, state: AlertState, reading: Reading, now: number, expireAfter: number): AlertState {
  const lastData = reading.value === null ? state.lastData : now;
  const phase = nextPhase(rule, state, reading, now, expireAfter);
  const since = phase === state.phase ? state.since : now;
  return { phase, since, lastData, told: phase === 'pending' ? state.told : phase };
}

function nextPhase(rule: Rule, state: AlertState, reading: Reading, now: number, expireAfter: number): AlertPhase {
  const { value } = reading;
  if (value === null) return state.phase === 'firing' && now - state.lastData < expireAfter ? 'firing' : 'ok';
  const bad = isBeyond(rule, value, rule.threshold);
  switch (state.phase) {
    case 'ok':
    case 'warning':
      if (bad) return rule.for === 0 ? 'firing' : 'pending';
      return isNear(rule, state.phase, reading.forecast) ? 'warning' : 'ok';
    case 'pending':
      if (bad) return now - state.since >= rule.for ? 'firing' : 'pending';
      return isNear(rule, state.told, reading.forecast) ? 'warning' : 'ok';
    case 'firing':
      return bad || isBeyond(rule, value, rule.clear) ? 'firing' : 'ok';
  }
}

const isBeyond = (rule: Rule, value: number, limit: number): boolean =>
  rule.when === 'above' ? value > limit : value < limit;

function isNear(rule: Rule, phase: AlertPhase, forecast: number | null): boolean {
  if (rule.forecast === 0 || forecast === null) return false;
  return forecast <= rule.forecast * (phase === 'warning' ? WARNING_SLACK : 1);
}

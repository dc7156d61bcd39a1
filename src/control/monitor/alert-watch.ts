/**
 * All alerts on one version or one endpoint: feeds its values into the state machine and says what changed.
 *
 * Forecasts cost a sort of some hundred slopes and change slowly, so they are renewed when the caller says so and kept in between.
 * None is made for an alert that is already pending or firing.
 */
import type { AlertConfig } from '../../model/policy-config.ts';
import type { AlertEvent } from './alert-handlers.ts';
import { type AlertPhase, type AlertState, initialState, step } from './alert-state.ts';
import type { SlidingWindow } from './sliding-window.ts';
import { forecast } from './trend.ts';

/** Whom the alerts are about; `endpoint` is a URL. */
export interface Subject {
  readonly service: string;
  readonly version: string;
  readonly endpoint?: string;
}

/** An alert that is not ok, for the dashboard and the API. */
export interface OpenAlert extends Subject {
  readonly name: string;
  readonly state: Exclude<AlertPhase, 'ok'>;
  readonly metric: AlertConfig['metric'];
  readonly value: number | null;
  readonly when: AlertConfig['when'];
  readonly threshold: number;
  /** How long it has been in this state, milliseconds. */
  readonly for: number;
  readonly forecast?: number;
}

/** An event before the time of day is put on it. */
export type Change = Omit<AlertEvent, 'at'>;

interface Watched {
  readonly alert: AlertConfig;
  state: AlertState;
  forecast: number | null;
}

export interface AlertWatchOptions {
  readonly alerts: readonly AlertConfig[];
  readonly subject: Subject;
  readonly window: SlidingWindow;
  /** Milliseconds without data after which a firing alert ends. */
  readonly expireAfter: number;
  readonly now: number;
}

export class AlertWatch {
  readonly #subject: Subject;
  readonly #window: SlidingWindow;
  readonly #expireAfter: number;
  readonly #watched: readonly Watched[];

  constructor(options: AlertWatchOptions) {
    this.#subject = options.subject;
    this.#window = options.window;
    this.#expireAfter = options.expireAfter;
    this.#watched = options.alerts.map((alert) => ({ alert, state: initialState(options.now), forecast: null }));
  }

  evaluate(now: number, renewForecasts: boolean, tell: (change: Change) => void): void {
    for (const watched of this.#watched) {
      const { alert, state } = watched;
      const value = this.#valueOf(alert);
      if (alert.forecast > 0 && renewForecasts) {
        const wanted = value !== null && (state.phase === 'ok' || state.phase === 'warning');
        watched.forecast = wanted
          ? forecast(this.#window.series(alert.metric, now), alert.threshold, alert.when)
          : null;
      }
      watched.state = step(alert, state, { value, forecast: watched.forecast }, now, this.#expireAfter);
      if (watched.state.told !== state.told) tell(this.#change(watched, value));
    }
  }

  /** The subject goes away: whoever was told of a trouble is told that it is over. */
  end(tell: (change: Change) => void): void {
    for (const watched of this.#watched) {
      if (watched.state.told === 'ok') continue;
      watched.state = { ...watched.state, phase: 'ok', told: 'ok' };
      tell(this.#change(watched, null));
    }
  }

  open(now: number): OpenAlert[] {
    const open: OpenAlert[] = [];
    for (const { alert, state, forecast } of this.#watched) {
      if (state.phase === 'ok') continue;
      open.push({
        ...this.#subject,
        name: alert.name,
        state: state.phase,
        metric: alert.metric,
        value: this.#valueOf(alert),
        when: alert.when,
        threshold: alert.threshold,
        for: now - state.since,
        ...(state.phase === 'warning' && forecast !== null && { forecast }),
      });
    }
    return open;
  }

  /** Too few attempts are no data: one failure out of one is not an error rate of 100 %. */
  #valueOf({ metric, minimum }: AlertConfig): number | null {
    if (metric !== 'throughput' && this.#window.totals.attempts < minimum) return null;
    return this.#window.value(metric);
  }

  #change({ alert, state, forecast }: Watched, value: number | null): Change {
    return {
      name: alert.name,
      state: state.told,
      metric: alert.metric,
      value,
      when: alert.when,
      threshold: alert.threshold,
      ...this.#subject,
      ...(state.told === 'warning' && forecast !== null && { forecast }),
    };
  }
}

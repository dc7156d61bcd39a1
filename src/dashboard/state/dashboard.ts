/**
 * Everything the page knows of Sluice: the last state, what was collected from the states before it, the last events, and how the connection is.
 */
import type { Connection } from '../api/live.ts';
import type { LiveState, SluiceEvent } from '../api/views.ts';
import { type EvidenceSeries, evidenceExtended } from './evidence-series.ts';
import { extended, type Samples } from './samples.ts';
import { createStore } from './store.ts';

const MOST_EVENTS = 500;

export interface Live {
  readonly connection: Connection;
  /** Null until the first has come. */
  readonly state: LiveState | null;
  readonly samples: Samples;
  readonly evidence: EvidenceSeries;
  /** Newest first. */
  readonly events: readonly SluiceEvent[];
}

export const live = createStore<Live>({
  connection: { state: 'connecting' },
  state: null,
  samples: new Map(),
  evidence: new Map(),
  events: [],
});

export const connected = (connection: Connection): void => live.set({ ...live.get(), connection });

export function stateCame(state: LiveState): void {
  const before = live.get();
  const at = Date.parse(state.at);
  const anew = before.state !== null && before.state.status.startedAt !== state.status.startedAt;
  live.set({
    ...before,
    state,
    samples: extended(anew ? new Map() : before.samples, state.services, at),
    evidence: evidenceExtended(before.evidence, state.rollouts, at),
  });
}

/** @param come in any order; those known already are left out. */
export function eventsCame(come: readonly SluiceEvent[]): void {
  const before = live.get();
  const known = new Set(before.events.map(({ id }) => id));
  const fresh = come.filter(({ id }) => !known.has(id));
  if (fresh.length === 0) return;
  const events = [...fresh, ...before.events].sort((a, b) => b.id - a.id).slice(0, MOST_EVENTS);
  live.set({ ...before, events });
}

/**
 * One rollout as well as it is known: from the live state while it is there, else asked for; and its report, which has what only is known afterwards.
 *
 *     live state, each second ─┐
 *     GET rollouts/ID ─────────┴▶ rollout          GET rollouts/ID/report ─▶ decision, totals
 *
 * A rollout leaves the live state a minute after its end. What was seen last stays until the answer is there, so nothing flickers. The report is asked for again
 * whenever something was written down that may have changed it.
 */
import { useRef } from 'preact/hooks';
import { call, part } from '../../api/client.ts';
import type { RolloutReport } from '../../api/report-views.ts';
import type { RolloutView } from '../../api/views.ts';
import type { Live } from '../../state/dashboard.ts';
import { type Loaded, useLoaded } from '../../state/loaded.ts';

export interface Followed {
  /** Null until it is known. */
  readonly rollout: RolloutView | null;
  readonly report: RolloutReport | null;
  readonly failure: string | null;
}

export function useRollout(now: Live, id: string): Followed {
  const live = now.state?.rollouts.find((rollout) => rollout.id === id) ?? null;
  const newest = now.events.find(({ type }) => type.startsWith('rollout.'))?.id ?? 0;
  const address = `api/v1/rollouts/${part(id)}`;
  const asked = useLoaded(
    () => (live === null ? call<RolloutView>(address) : Promise.resolve(null)),
    id,
    live === null ? newest : 'live',
  );
  const seen = useRef<RolloutView | null>(null);
  const rollout = live ?? asked.data ?? seen.current;
  if (rollout !== null) seen.current = rollout;
  const report = useLoaded(() => call<RolloutReport>(`${address}/report`), id, written(rollout));
  return { rollout, report: report.data, failure: rollout === null ? asked.failure : null };
}

/** Changes with everything that the report has and does not grow by itself. */
function written(rollout: RolloutView | null): string {
  if (rollout === null) return '';
  const { phase, step, timeline, rollback } = rollout;
  const verified = rollback?.verified === null ? 'unverified' : 'verified';
  return `${phase} ${step} ${timeline.at(-1)?.at ?? ''} ${timeline.length} ${verified}`;
}

/** The report alone; of a rollout that still runs it is asked for again with every event of a rollout. */
export function useReport(now: Live, id: string): Loaded<RolloutReport> {
  const newest = now.events.find(({ type }) => type.startsWith('rollout.'))?.id ?? 0;
  return useLoaded(() => call<RolloutReport>(`api/v1/rollouts/${part(id)}/report`), id, newest);
}

/**
 * The last minutes of a service in three charts: requests, failures and latency of each version.
 *
 * The monitor's history is asked for once, for the time before the page was opened; from then on each second adds a point.
 */
import type { JSX } from 'preact';
import { call, part } from '../api/client.ts';
import type { HistoryPoint } from '../api/views.ts';
import { latency, percent, rate } from '../format.ts';
import type { Live } from '../state/dashboard.ts';
import { useLoaded } from '../state/loaded.ts';
import { keyOf, type Track, trackOf } from '../state/samples.ts';
import { Chart, type Line } from '../ui/chart.tsx';
import { Panel } from '../ui/panel.tsx';

/** Seconds. */
const SPAN = 300;

export function Charts({ now, name }: { readonly now: Live; readonly name: string }): JSX.Element | null {
  const service = now.state?.services.find((each) => each.name === name);
  const history = useLoaded(
    () => call<{ readonly points: readonly HistoryPoint[] }>(`api/v1/history?service=${part(name)}&since=${SPAN}s`),
    name,
  );
  if (service === undefined) return null;
  const tracks = service.versions
    .filter(({ lane, weight }) => lane !== null || weight > 0)
    .map((version) => ({
      version,
      track: trackOf(
        now.samples.get(keyOf(name, version.name)) ?? [],
        (history.data?.points ?? []).filter((point) => point.version === version.name),
      ),
    }));
  const times = tracks.reduce<readonly number[]>(
    (longest, { track }) => (track.times.length > longest.length ? track.times : longest),
    [],
  );
  const lines = (key: 'requests' | 'failed' | 'p95'): Line[] =>
    tracks.map(({ version, track }) => ({
      label: version.name,
      color: `--${version.lane ?? 'muted'}`,
      values: aligned(track, times, key),
      fill: key === 'requests',
    }));
  return (
    <Panel title="The last five minutes">
      <div class="charts">
        <ChartBox title="Requests">
          <Chart
            label="Requests per second by version"
            times={times}
            lines={lines('requests')}
            format={rate}
            span={SPAN}
          />
        </ChartBox>
        <ChartBox title="Failed attempts">
          <Chart
            label="Failed attempts by version"
            times={times}
            lines={lines('failed')}
            format={percent}
            span={SPAN}
            least={1}
            most={100}
          />
        </ChartBox>
        <ChartBox title="Latency, p95">
          <Chart
            label="95th percentile of latency by version"
            times={times}
            lines={lines('p95')}
            format={latency}
            span={SPAN}
            least={1}
          />
        </ChartBox>
      </div>
    </Panel>
  );
}

const ChartBox = ({ title, children }: { readonly title: string; readonly children: JSX.Element }): JSX.Element => (
  <div class="chart-box">
    <h3>{title}</h3>
    {children}
  </div>
);

/** A version's column on the times of the longest one: those of versions that came later begin with nothing. */
function aligned(track: Track, times: readonly number[], key: 'requests' | 'failed' | 'p95'): (number | null)[] {
  if (track.times === times) return [...track[key]];
  const values = new Map(track.times.map((time, index) => [time, track[key][index] ?? null]));
  return times.map((time) => values.get(time) ?? null);
}

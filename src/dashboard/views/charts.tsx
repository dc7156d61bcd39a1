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
import { Chart, type ChartProps, type Line } from '../ui/chart.tsx';
import { Panel } from '../ui/panel.tsx';

/** Seconds. */
const SPAN = 300;

type Drawn = 'requests' | 'failed' | 'p95';

interface DrawnChart extends Pick<ChartProps, 'label' | 'format' | 'least' | 'most'> {
  readonly key: Drawn;
  readonly title: string;
}

const DRAWN: readonly DrawnChart[] = [
  { key: 'requests', title: 'Requests', label: 'Requests per second by version', format: rate },
  {
    key: 'failed',
    title: 'Failed attempts',
    label: 'Failed attempts by version',
    format: percent,
    least: 1,
    most: 100,
  },
  { key: 'p95', title: 'Latency, p95', label: '95th percentile of latency by version', format: latency, least: 1 },
];

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
  const lines = (key: Drawn): Line[] =>
    tracks.map(({ version, track }) => ({
      label: version.name,
      color: `--${version.lane ?? 'muted'}`,
      values: aligned(track, times, key),
      fill: key === 'requests',
    }));
  return (
    <Panel title="The last five minutes">
      <div class="charts">
        {DRAWN.map(({ key, title, label, ...scale }) => (
          <div key={key} class="chart-box">
            <h3>{title}</h3>
            <Chart {...scale} label={label} times={times} lines={lines(key)} span={SPAN} />
          </div>
        ))}
      </div>
    </Panel>
  );
}

/** A version's column on the times of the longest one: those of versions that came later begin with nothing. */
function aligned(track: Track, times: readonly number[], key: Drawn): (number | null)[] {
  if (track.times === times) return [...track[key]];
  const values = new Map(track.times.map((time, index) => [time, track[key][index] ?? null]));
  return times.map((time) => values.get(time) ?? null);
}

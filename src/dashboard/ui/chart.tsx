/**
 * A chart of some lines over time, drawn by uPlot.
 *
 * uPlot draws on a canvas, so the colours are read from the page's variables whenever the theme changes, and what the chart shows is told in words for whom a canvas
 * is nothing. The plot is kept and only given new data once a second; it is made anew when its lines or the theme change.
 */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useStore } from '../state/store.ts';
import { theme } from '../state/theme.ts';

export interface Line {
  readonly label: string;
  /** Name of a CSS variable: `--stable`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly fill?: boolean;
  readonly dash?: boolean;
  /** Drawn as steps: a value that holds until the next. */
  readonly steps?: boolean;
}

export interface ChartProps {
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly height?: number;
  /** The scale goes at least so far. */
  readonly least?: number;
  readonly most?: number;
  /** Seconds that the chart shows at least, so that it does not begin as a single point. */
  readonly span?: number;
}

const FONT = '11px system-ui, sans-serif';

export function Chart(props: ChartProps): JSX.Element {
  const { label, times, lines, format, height = 150 } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const now = useStore(theme);
  const shape = lines.map(({ label: name, color, fill, dash }) => `${name} ${color} ${fill} ${dash}`).join('|');

  useEffect(() => {
    const parent = box.current;
    if (parent === null) return;
    const made = new uPlot(optionsFor(latest, parent, height), dataOf(latest.current), parent);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height }));
    watch.observe(parent);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, now, height]);
  useEffect(() => {
    plot.current?.setData(dataOf(props));
  });
  const summary = lines.map(({ label: name, values }) => `${name} ${told(values.at(-1), format)}`).join(', ');
  return (
    <figure class="chart">
      <figcaption class="chart-key" aria-hidden="true">
        {lines.map((line) => (
          <span key={line.label} style={{ '--color': `var(${line.color})` }} class={line.dash === true ? 'dashed' : ''}>
            <i />
            {line.label} <b>{told(line.values.at(-1), format)}</b>
          </span>
        ))}
      </figcaption>
      <div
        ref={box}
        class="chart-canvas"
        role="img"
        aria-label={`${label}: ${times.length === 0 ? 'no data' : summary}`}
        style={{ height: `${height}px` }}
      />
    </figure>
  );
}

const told = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '–' : format(value);

const dataOf = ({ times, lines }: ChartProps): uPlot.AlignedData =>
  [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;

function optionsFor(latest: { readonly current: ChartProps }, parent: HTMLElement, height: number): uPlot.Options {
  const style = getComputedStyle(parent);
  const color = (name: string): string => style.getPropertyValue(name).trim() || '#888';
  const { lines } = latest.current;
  const grid = { stroke: color('--grid'), width: 1 };
  const axis = { stroke: color('--muted'), font: FONT, grid, ticks: { show: false } };
  return {
    width: Math.max(60, parent.clientWidth),
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false }, y: false },
    scales: {
      x: {
        // From the times themselves: around a single one uPlot would lay years.
        range: () => {
          const { times, span = 60 } = latest.current;
          const to = times.at(-1) ?? Date.now() / 1000;
          return [Math.min(times[0] ?? to, to - span), to];
        },
      },
      y: {
        range: (_plot, _low, high) => {
          const { least = 0, most = Number.POSITIVE_INFINITY } = latest.current;
          return [0, Math.min(most, Math.max(least, (high ?? 0) * 1.15)) || 1];
        },
      },
    },
    axes: [
      { ...axis, space: 70, size: 26, values: (_plot, ticks) => ticks.map(clockTime) },
      { ...axis, space: 34, size: 54, values: (_plot, ticks) => ticks.map((tick) => latest.current.format(tick)) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 1.75,
        points: { show: false },
        spanGaps: false,
        ...(line.fill === true && { fill: `color-mix(in srgb, ${color(line.color)} 16%, transparent)` }),
        ...(line.dash === true && { dash: [5, 4] }),
        ...(line.steps === true && uPlot.paths.stepped !== undefined && { paths: uPlot.paths.stepped({ align: 1 }) }),
      })),
    ],
  };
}

function clockTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = `${two(time.getHours())}:${two(time.getMinutes())}`;
  return time.getSeconds() === 0 ? minutes : `${minutes}:${two(time.getSeconds())}`;
}

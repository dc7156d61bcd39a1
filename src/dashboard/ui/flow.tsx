/**
 * The flow of requests of a service, drawn: users at the left, versions at the right, a band for each as wide as its share, in motion while requests come.
 *
 *     users ═══════════════════▶ stable
 *           ───────────────────▶ canary ┄┄ what failed there and was answered by stable goes up again
 *
 * A band that carries requests is never thinner than two pixels, so that a canary with a thousandth of the traffic can be seen. Versions without lane, weight and
 * traffic are left out. Motion stops for those whose system asks for less of it, and the whole is told in words.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ServiceView } from '../api/views.ts';
import { percent, rate } from '../format.ts';
import { keyOf, type Rates, ratesAt, type Samples } from '../state/samples.ts';

interface Stream {
  readonly name: string;
  readonly lane: string;
  readonly weight: number;
  readonly rates: Rates | null;
  readonly top: number;
  readonly height: number;
  readonly share: number;
}

const HEIGHT = 188;
const GAP = 22;
const BAR = 7;
const TEXT_HEIGHT = 34;
/** Of all requests together. */
const THICKNESS = 92;

function streamsOf(service: ServiceView, samples: Samples): Stream[] {
  const known = service.versions
    .map(({ name, lane, weight }) => ({
      name,
      lane: lane ?? 'none',
      weight,
      rates: ratesAt(samples.get(keyOf(service.name, name)) ?? []),
    }))
    .filter(({ lane, weight, rates }) => lane !== 'none' || weight > 0 || (rates?.requests ?? 0) > 0);
  const all = known.reduce((sum, { rates }) => sum + (rates?.requests ?? 0), 0);
  const room = HEIGHT - GAP * (known.length - 1);
  const shares = known.map(({ weight, rates }) => (all > 0 ? (rates?.requests ?? 0) / all : weight / 100));
  const least = Math.min(TEXT_HEIGHT, room / Math.max(1, known.length));
  const free = room - least * known.length;
  let top = 0;
  return known.map((each, index) => {
    const share = shares[index] ?? 0;
    const height = least + free * share;
    const stream = { ...each, share, top, height };
    top += height + GAP;
    return stream;
  });
}

export function Flow({ service, samples }: { readonly service: ServiceView; readonly samples: Samples }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const streams = streamsOf(service, samples);
  const labels = width < 520 ? 118 : 190;
  const right = Math.max(80, width - labels);
  const known = streams.flatMap(({ rates }) => rates ?? []);
  const all = known.length === 0 ? null : known.reduce((sum, { requests }) => sum + requests, 0);
  let from = (HEIGHT - THICKNESS) / 2;
  const told = streams.map(
    ({ name, lane, rates, share }) =>
      `${name} (${lane}) ${percent(Math.round(share * 100))}, ${rate(rates?.requests ?? null)}`,
  );
  return (
    <div ref={box} class="flow" role="img" aria-label={`Requests: ${rate(all)} in all; ${told.join('; ')}`}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} aria-hidden="true">
          <rect class="flow-users" x="0" y={(HEIGHT - THICKNESS) / 2 - 2} width={BAR} height={THICKNESS + 4} rx="3" />
          <text class="flow-all" x="0" y={(HEIGHT - THICKNESS) / 2 - 12}>
            {rate(all)}
          </text>
          {streams.map((stream) => {
            const requests = stream.rates?.requests ?? 0;
            const band = requests > 0 ? Math.max(2, THICKNESS * stream.share) : 0;
            const start = from;
            from += THICKNESS * stream.share;
            const middle = stream.top + stream.height / 2;
            const end = Math.max(band, Math.min(stream.height, band));
            return (
              <g key={stream.name} class={`lane-${stream.lane}`}>
                {band > 0 ? (
                  <path
                    class="flow-band"
                    d={bandPath(BAR + 2, start, start + band, right - 2, middle - end / 2, middle + end / 2)}
                  />
                ) : (
                  <path class="flow-idle" d={linePath(BAR + 2, start + 1, right - 2, middle)} />
                )}
                {band > 0 && (
                  <path
                    class="flow-motion"
                    style={{ animationDuration: `${pace(requests)}s`, strokeWidth: Math.max(1, Math.min(3, band / 5)) }}
                    d={linePath(BAR + 2, start + band / 2, right - 2, middle)}
                  />
                )}
                <rect
                  class="flow-end"
                  x={right}
                  y={middle - Math.max(10, band) / 2}
                  width={BAR}
                  height={Math.max(10, band)}
                  rx="3"
                />
              </g>
            );
          })}
          <Shielded streams={streams} right={right} />
        </svg>
      )}
      <div class="flow-labels" style={{ left: `${right + BAR + 10}px` }}>
        {streams.map((stream) => (
          <div
            key={stream.name}
            class={`flow-label lane-${stream.lane}`}
            style={{ top: `${stream.top + stream.height / 2}px` }}
          >
            <b>{stream.name}</b> <span class="lane-word">{stream.lane === 'none' ? '' : stream.lane}</span>
            <br />
            <span>
              {rate(stream.rates?.requests ?? null)} · {percent(Math.round(stream.share * 1000) / 10)}
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}

/** What stable answers in a canary's place, as a way back up. */
function Shielded({
  streams,
  right,
}: {
  readonly streams: readonly Stream[];
  readonly right: number;
}): JSX.Element | null {
  const stable = streams.find(({ lane }) => lane === 'stable');
  if (stable === undefined) return null;
  const goal = stable.top + stable.height / 2;
  return (
    <>
      {streams.map(({ name, top, height, rates, lane }) => {
        if (lane === 'stable' || rates === null || rates.shielded <= 0) return null;
        const from = top + height / 2;
        const bend = right - 74;
        return (
          <g key={name} class="flow-shield">
            <path d={`M${right - 4},${from} C${bend},${from} ${bend},${goal} ${right - 4},${goal}`} />
            <text x={bend + 8} y={(from + goal) / 2 + 4} text-anchor="end">
              {rate(rates.shielded)} shielded
            </text>
          </g>
        );
      })}
    </>
  );
}

/** Seconds for one round of the dashes: faster with more requests, but never so fast that it flickers. */
const pace = (requests: number): number => Math.min(4, Math.max(0.6, 3 / Math.log10(10 + requests)));

function bandPath(x1: number, top1: number, bottom1: number, x2: number, top2: number, bottom2: number): string {
  const bend = (x1 + x2) / 2;
  return `M${x1},${top1} C${bend},${top1} ${bend},${top2} ${x2},${top2} L${x2},${bottom2} C${bend},${bottom2} ${bend},${bottom1} ${x1},${bottom1} Z`;
}

const linePath = (x1: number, y1: number, x2: number, y2: number): string =>
  `M${x1},${y1} C${(x1 + x2) / 2},${y1} ${(x1 + x2) / 2},${y2} ${x2},${y2}`;

function useWidth(box: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    setWidth(element.clientWidth);
    return () => watch.disconnect();
  }, [box]);
  return width;
}

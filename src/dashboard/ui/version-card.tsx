/**
 * One version in figures, made to stand beside another: the canary's are compared with stable's, and what is worse is said so.
 *
 * Rates and errors are of the last ten seconds, percentiles of the monitor's last minute. What users got and what the version did are two lines, because between
 * the two stand retries and the shield.
 */
import type { JSX } from 'preact';
import type { VersionView } from '../api/views.ts';
import { percent, rate } from '../format.ts';
import type { Rates } from '../state/samples.ts';
import { VersionMark } from './badges.tsx';
import { Figure } from './panel.tsx';
import { PercentileFigure } from './percentile-figure.tsx';

export interface VersionCardProps {
  readonly version: VersionView;
  readonly rates: Rates | null;
  /** What it is compared with; null for stable itself. */
  readonly stable: VersionView | null;
}

export function VersionCard({ version, rates, stable }: VersionCardProps): JSX.Element {
  const { values, lane, weight, endpoints, traffic } = version;
  const up = endpoints.filter(({ available }) => available).length;
  const percentile = (key: 'p50' | 'p95' | 'p99'): JSX.Element => (
    <PercentileFigure
      name={key}
      own={values[key]}
      stable={stable?.values[key] ?? null}
      requests={Math.min(version.attempts, stable?.attempts ?? 0)}
    />
  );
  return (
    <article
      class={`version-card lane-${lane ?? 'none'}`}
      aria-label={`${version.name}${lane === null ? '' : `, ${lane}`}`}
    >
      <header>
        <VersionMark name={version.name} lane={lane} />
        <span class="weight">{percent(weight)}</span>
      </header>
      <dl class="figures">
        <Figure label="requests" value={rate(rates?.requests ?? null)} />
        <Figure
          label="users’ errors"
          value={percent(rates?.userErrors ?? null)}
          tone={tone(rates?.userErrors)}
          title="Answers to users of this version with status 5xx"
        />
        <Figure
          label="failed attempts"
          value={percent(rates?.failed ?? null)}
          tone={tone(rates?.failed)}
          title="Attempts on this version that ended in a 5xx, a reset, a timeout or no connection"
        />
        {percentile('p50')}
        {percentile('p95')}
        {percentile('p99')}
      </dl>
      <footer>
        <span class={up === endpoints.length ? 'text-good' : up === 0 ? 'text-bad' : 'text-warn'}>
          {up} of {endpoints.length} endpoint{endpoints.length === 1 ? '' : 's'} up
        </span>
        <span>{traffic.inFlight} in flight</span>
        {(rates?.shielded ?? 0) > 0 && <span class="text-warn">{rate(rates?.shielded ?? 0)} shielded</span>}
        {(rates?.retries ?? 0) > 0 && <span>{rate(rates?.retries ?? 0)} retried</span>}
      </footer>
    </article>
  );
}

const tone = (share: number | null | undefined): 'bad' | 'warn' | undefined =>
  share === null || share === undefined || share === 0 ? undefined : share >= 1 ? 'bad' : 'warn';

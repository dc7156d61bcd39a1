/**
 * The canary and what it is compared with, in the same figures side by side.
 *
 * While it runs there are two kinds of figures, and they are kept apart: counts since the rollout began, and rates of the last ten seconds. What is over has those
 * of the whole rollout, from its report.
 */
import type { JSX } from 'preact';
import type { RolloutReport, VersionSummary } from '../../api/report-views.ts';
import type { Lane, RolloutView, SideView } from '../../api/views.ts';
import { number, percent, rate } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { VersionMark } from '../../ui/badges.tsx';
import { Empty, Figure, Panel } from '../../ui/panel.tsx';
import { PercentileFigure } from '../../ui/percentile-figure.tsx';
import { isOver, shareOf } from './words.ts';

export interface SidesProps {
  readonly rollout: RolloutView;
  readonly report: RolloutReport | null;
}

export function Sides({ rollout, report }: SidesProps): JSX.Element {
  const { canary, baseline, phase } = rollout;
  const over = isOver(phase);
  const totals = report?.totals ?? null;
  return (
    <Panel
      title={`${canary.version} beside ${baseline.version}`}
      aside={<span class="muted">{over ? 'over the whole rollout' : 'live'}</span>}
    >
      {over && totals?.canary == null && totals?.stable == null ? (
        <Empty>{report === null ? 'Loading …' : `No user has got ${canary.version}, so nothing was measured.`}</Empty>
      ) : (
        <div class="versions sides">
          {over ? (
            <>
              <Past
                summary={totals?.canary ?? null}
                name={canary.version}
                lane="canary"
                beside={totals?.stable ?? null}
              />
              <Past summary={totals?.stable ?? null} name={baseline.version} lane="stable" beside={null} />
            </>
          ) : (
            <>
              <Present side={canary} lane="canary" beside={baseline} />
              <Present side={baseline} lane="stable" beside={null} />
            </>
          )}
        </div>
      )}
      {over && totals?.canary != null && totals.canary.p50 === null && totals.canary.requests > 0 && (
        <p class="muted sides-note">
          Percentiles of several steps cannot be put together; <a href={linkTo.report(rollout.id)}>the report</a> has
          those of each step.
        </p>
      )}
    </Panel>
  );
}

function Present({
  side,
  lane,
  beside,
}: {
  readonly side: SideView;
  readonly lane: Lane;
  readonly beside: SideView | null;
}): JSX.Element {
  const { version, weight, inFlight, requests, failed, userErrors, shielded, throughput, errorRate } = side;
  return (
    <article class={`version-card lane-${lane}`} aria-label={`${version}, ${lane}`}>
      <header>
        <VersionMark name={version} lane={lane} />
        <span class="weight">{percent(weight)}</span>
      </header>
      <h3>In the last ten seconds</h3>
      <dl class="figures">
        <Figure label="throughput" value={rate(throughput)} />
        <Figure label="errors" value={percent(errorRate)} tone={tone(errorRate)} />
        <Figure label="in flight" value={number(inFlight)} />
        {(['p50', 'p95', 'p99'] as const).map((key) => (
          <PercentileFigure
            key={key}
            name={key}
            own={side[key]}
            stable={beside?.[key] ?? null}
            requests={Math.min(requests, beside?.requests ?? 0)}
          />
        ))}
      </dl>
      <h3>Since the rollout began</h3>
      <dl class="figures figures-four">
        <Figure label="requests" value={number(requests)} />
        <Figure
          label="failed"
          value={number(failed)}
          note={noteOf(failed, requests)}
          tone={failed > 0 ? 'warn' : undefined}
        />
        <Shielded count={shielded} />
        <UserErrors count={userErrors} />
      </dl>
    </article>
  );
}

function Past({
  summary,
  name,
  lane,
  beside,
}: {
  readonly summary: VersionSummary | null;
  readonly name: string;
  readonly lane: Lane;
  readonly beside: VersionSummary | null;
}): JSX.Element {
  return (
    <article class={`version-card lane-${lane}`} aria-label={`${name}, ${lane}`}>
      <header>
        <VersionMark name={name} lane={lane} />
      </header>
      {summary === null ? (
        <p class="muted">Nothing was measured.</p>
      ) : (
        <dl class="figures figures-four">
          <Figure label="requests" value={number(summary.requests)} />
          <Figure
            label="failed"
            value={number(summary.errors)}
            note={noteOf(summary.errors, summary.requests)}
            tone={summary.errors > 0 ? 'warn' : undefined}
          />
          <Shielded count={summary.shielded} />
          <UserErrors count={summary.userErrors} />
          {summary.p50 !== null &&
            (['p50', 'p95', 'p99'] as const).map((key) => (
              <PercentileFigure
                key={key}
                name={key}
                own={summary[key]}
                stable={beside?.[key] ?? null}
                requests={Math.min(summary.requests, beside?.requests ?? 0)}
              />
            ))}
        </dl>
      )}
    </article>
  );
}

const Shielded = ({ count }: { readonly count: number }): JSX.Element => (
  <Figure label="shielded" value={number(count)} title="Requests that failed here and that stable answered instead" />
);

const UserErrors = ({ count }: { readonly count: number }): JSX.Element => (
  <Figure
    label="users’ errors"
    value={number(count)}
    tone={count > 0 ? 'bad' : undefined}
    title="Requests that a user got an error for"
  />
);

const noteOf = (part: number, whole: number): string | undefined =>
  part === 0 || whole === 0 ? undefined : percent(shareOf(part, whole));

const tone = (share: number | null): 'bad' | 'warn' | undefined =>
  share === null || share === 0 ? undefined : share >= 1 ? 'bad' : 'warn';

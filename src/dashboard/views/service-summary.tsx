/**
 * A service at a glance: where its requests go, stable and canary side by side, and what needs somebody's attention.
 */
import type { JSX } from 'preact';
import type { RolloutView, ServiceView } from '../api/views.ts';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { keyOf, ratesAt } from '../state/samples.ts';
import { Badge, PhaseBadge } from '../ui/badges.tsx';
import { Flow } from '../ui/flow.tsx';
import { Panel } from '../ui/panel.tsx';
import { VersionCard } from '../ui/version-card.tsx';

const SPAN = 10;
const ORDER = ['stable', 'canary', 'candidate'] as const;

export function ServiceSummary({ service, now }: { readonly service: ServiceView; readonly now: Live }): JSX.Element {
  const rollout = rolloutOf(service, now.state?.rollouts ?? []);
  const stable = service.versions.find(({ lane }) => lane === 'stable') ?? null;
  const shown = ORDER.flatMap((lane) => service.versions.filter((version) => version.lane === lane));
  const others = service.versions.filter(({ lane, weight }) => lane === null && weight > 0);
  const title = <a href={linkTo.service(service.name)}>{service.name}</a>;
  return (
    <Panel title={title} aside={<Aside service={service} rollout={rollout} />} class="service">
      <Flow service={service} samples={now.samples} />
      <div class="versions">
        {[...shown, ...others].map((version) => (
          <VersionCard
            key={version.name}
            version={version}
            stable={version.lane === 'stable' ? null : stable}
            rates={ratesAt(now.samples.get(keyOf(service.name, version.name)) ?? [], undefined, SPAN)}
          />
        ))}
      </div>
    </Panel>
  );
}

/** The rollout of the service that has not ended, or that has just ended. */
export const rolloutOf = (service: ServiceView, rollouts: readonly RolloutView[]): RolloutView | null =>
  rollouts.find((rollout) => rollout.service === service.name && rollout.endedAt === null) ??
  rollouts.find((rollout) => rollout.service === service.name) ??
  null;

export const AlertBadge = ({ alerts: { length } }: Pick<ServiceView, 'alerts'>): JSX.Element | null =>
  length === 0 ? null : <Badge tone="bad">{`${length} alert${length === 1 ? '' : 's'}`}</Badge>;

function Aside({
  service,
  rollout,
}: {
  readonly service: ServiceView;
  readonly rollout: RolloutView | null;
}): JSX.Element {
  return (
    <>
      <AlertBadge alerts={service.alerts} />
      {service.rollback !== null && <Badge tone="bad">rolling back</Badge>}
      {rollout !== null && (
        <a class="rollout-link" href={linkTo.rollout(rollout.id)}>
          {rollout.id} <PhaseBadge phase={rollout.phase} />
        </a>
      )}
      <span class="muted">{service.strategy}</span>
    </>
  );
}

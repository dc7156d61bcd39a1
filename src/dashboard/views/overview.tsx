/**
 * All services, what is wrong first. A handful are shown whole; of more, each is one row with its split.
 */
import type { JSX } from 'preact';
import type { ServiceView } from '../api/views.ts';
import { clock, percent, rate } from '../format.ts';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { keyOf, ratesAt } from '../state/samples.ts';
import { LevelBadge, PhaseBadge, VersionMark } from '../ui/badges.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { SplitBar, sharesOf } from '../ui/split-bar.tsx';
import { Attention } from './attention.tsx';
import { Charts } from './charts.tsx';
import { AlertBadge, rolloutOf, ServiceSummary } from './service-summary.tsx';

/** Services that are shown whole. */
const WHOLE = 3;
/** Events that are shown. */
const LAST = 6;

export function Overview({ now }: { readonly now: Live }): JSX.Element {
  const services = now.state?.services ?? [];
  return (
    <>
      <h1 class="visually-hidden">Overview</h1>
      <Attention now={now} />
      {services.length === 0 && <Empty>No service is configured.</Empty>}
      {services.length <= WHOLE ? (
        services.map((service) => <ServiceSummary key={service.name} service={service} now={now} />)
      ) : (
        <Panel title={`${services.length} services`}>
          <ul class="rows">
            {services.map((service) => (
              <Row key={service.name} service={service} now={now} />
            ))}
          </ul>
        </Panel>
      )}
      {services.length === 1 && <Charts now={now} name={services[0]?.name ?? ''} />}
      <LastEvents now={now} />
    </>
  );
}

/** What happened last, in a few lines. */
function LastEvents({ now }: { readonly now: Live }): JSX.Element {
  const last = now.events.slice(0, LAST);
  return (
    <Panel title="What happened last" aside={<a href={linkTo.events()}>All events</a>}>
      {last.length === 0 ? (
        <Empty>Nothing yet.</Empty>
      ) : (
        <ol class="last-events">
          {last.map((event) => (
            <li key={event.id}>
              <time dateTime={event.at}>{clock(event.at)}</time>
              <LevelBadge level={event.level} />
              <span>{event.message}</span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Row({ service, now }: { readonly service: ServiceView; readonly now: Live }): JSX.Element {
  const rollout = rolloutOf(service, now.state?.rollouts ?? []);
  const rates = service.versions.map((version) =>
    ratesAt(now.samples.get(keyOf(service.name, version.name)) ?? [], undefined, 10),
  );
  const known = rates.filter((each) => each !== null);
  const requests = known.length === 0 ? null : known.reduce((sum, each) => sum + each.requests, 0);
  const shares = known.flatMap(({ userErrors }) => userErrors ?? []);
  const failed = shares.length === 0 ? null : Math.max(...shares);
  return (
    <li class="row">
      <div class="row-head">
        <a href={linkTo.service(service.name)}>{service.name}</a>
        {rollout !== null && (
          <a href={linkTo.rollout(rollout.id)}>
            <PhaseBadge phase={rollout.phase} />
          </a>
        )}
        <AlertBadge alerts={service.alerts} />
      </div>
      <SplitBar shares={sharesOf(service, now.samples)} />
      <div class="row-figures">
        {service.versions
          .filter(({ lane }) => lane !== null)
          .map(({ name, lane }) => (
            <VersionMark key={name} name={name} lane={lane} />
          ))}
        <span>{rate(requests)}</span>
        <span class={(failed ?? 0) > 0 ? 'text-bad' : 'muted'}>{percent(failed)} errors</span>
      </div>
    </li>
  );
}

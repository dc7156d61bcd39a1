/**
 * Everything about one service: the summary, charts of the last minutes, weights, endpoints, rollouts.
 */
import type { JSX } from 'preact';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { Missing } from '../ui/panel.tsx';
import { Attention } from './attention.tsx';
import { Charts } from './charts.tsx';
import { EndpointsPanel } from './endpoints.tsx';
import { ServiceRollouts } from './service-rollouts.tsx';
import { ServiceSummary } from './service-summary.tsx';
import { WeightsPanel } from './weights.tsx';

export function ServicePage({ now, name }: { readonly now: Live; readonly name: string }): JSX.Element {
  const service = now.state?.services.find((each) => each.name === name);
  if (service === undefined) {
    return (
      <Missing title={`There is no service ${name}.`}>
        <a href={linkTo.overview()}>To the overview</a>
      </Missing>
    );
  }
  return (
    <>
      <h1 class="visually-hidden">Service {name}</h1>
      <Attention now={now} />
      <ServiceSummary service={service} now={now} />
      <Charts now={now} name={name} />
      <div class="columns">
        <WeightsPanel service={service} now={now} />
        <ServiceRollouts service={service} now={now} />
      </div>
      <EndpointsPanel service={service} />
    </>
  );
}

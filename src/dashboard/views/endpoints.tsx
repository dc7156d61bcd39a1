/**
 * Every endpoint of a service: how it is, what it carries, and the buttons that take it out and in again.
 *
 * An address may belong to several versions and is taken out of all of them, as the API does it; the question says so. What it carries goes down to nothing before
 * one's eyes while it drains, because the table follows the live state.
 */
import type { JSX } from 'preact';
import { call, part } from '../api/client.ts';
import type { EndpointView, ServiceView, VersionView } from '../api/views.ts';
import { latency, NOTHING, number, percent } from '../format.ts';
import { ask, attempt, notify } from '../state/actions.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { VersionMark } from '../ui/badges.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { TableScroll } from '../ui/table-scroll.tsx';
import { conditionOf, LOOKS, lossOf } from './endpoints/condition.ts';

export function EndpointsPanel({ service }: { readonly service: ServiceView }): JSX.Element {
  const all = service.versions.flatMap(({ endpoints }) => endpoints);
  const up = all.filter(({ available }) => available).length;
  return (
    <Panel
      title="Endpoints"
      aside={
        all.length > 0 && (
          <span class={up === all.length ? 'text-good' : 'text-warn'}>{`${up} of ${all.length} up`}</span>
        )
      }
    >
      {all.length === 0 ? (
        <Empty>No version of {service.name} has an endpoint.</Empty>
      ) : (
        <TableScroll label="Endpoints">
          <table class="endpoints">
            <thead>
              <tr>
                <th scope="col">Endpoint</th>
                <th scope="col">State</th>
                <th scope="col" class="number">
                  In flight
                </th>
                <th scope="col" class="number" title="In the last minute">
                  Attempts
                </th>
                <th scope="col" class="number" title="Of the attempts in the last minute">
                  Errors
                </th>
                <th scope="col" class="number">
                  p50
                </th>
                <th scope="col" class="number">
                  p95
                </th>
                <th scope="col">
                  <span class="visually-hidden">Change</span>
                </th>
              </tr>
            </thead>
            {service.versions.map((version) => (
              <VersionEndpoints key={version.name} service={service} version={version} />
            ))}
          </table>
        </TableScroll>
      )}
    </Panel>
  );
}

const VersionEndpoints = ({
  service,
  version,
}: {
  readonly service: ServiceView;
  readonly version: VersionView;
}): JSX.Element => (
  <tbody>
    <tr class="endpoints-version">
      <th scope="rowgroup" colSpan={8}>
        <VersionMark name={version.name} lane={version.lane} />
        {version.endpoints.length === 0 && <span class="muted"> has no endpoint</span>}
      </th>
    </tr>
    {version.endpoints.map((endpoint) => (
      <Row key={endpoint.url} service={service} version={version.name} endpoint={endpoint} />
    ))}
  </tbody>
);

interface RowProps {
  readonly service: ServiceView;
  readonly version: string;
  readonly endpoint: EndpointView;
}

function Row({ service, version, endpoint }: RowProps): JSX.Element {
  const { url, state, inFlight, attempts, values } = endpoint;
  const condition = conditionOf(endpoint);
  const { tone, sign, text } = LOOKS[condition];
  const errors = values.error_rate;
  return (
    <tr>
      <td>
        <span class="mono">{url}</span>
        {endpoint.weight !== 1 && <span class="muted"> weight {endpoint.weight}</span>}
      </td>
      <td>
        <span class={`badge badge-${tone}`} title={text}>
          <span aria-hidden="true">{sign}</span> {condition}
        </span>
      </td>
      <td class="number" data-label="in flight">
        {inFlight}
      </td>
      <td class="number" data-label="attempts">
        {attempts === 0 ? <span class="muted">none</span> : number(attempts)}
      </td>
      <td data-label="errors" class={`number ${errors !== null && errors > 0 ? 'text-bad' : ''}`}>
        {attempts === 0 ? NOTHING : percent(errors)}
      </td>
      <td class="number" data-label="p50">
        {latency(values.p50)}
      </td>
      <td class="number" data-label="p95">
        {latency(values.p95)}
      </td>
      <td>
        <div class="endpoint-buttons">
          {state === 'enabled' && <Take to="drain" {...{ service, version, endpoint }} />}
          {state !== 'disabled' && <Take to="disabled" {...{ service, version, endpoint }} />}
          {state !== 'enabled' && <Take to="enabled" {...{ service, version, endpoint }} />}
        </div>
      </td>
    </tr>
  );
}

type Goal = 'drain' | 'disabled' | 'enabled';

const GOALS: Readonly<Record<Goal, { readonly verb: string; readonly done: string; readonly means: string }>> = {
  drain: {
    verb: 'Drain',
    done: 'drains',
    means: 'It gets no new requests but those of sessions that are pinned to it. Requests in flight finish.',
  },
  disabled: { verb: 'Disable', done: 'is disabled', means: 'It gets no requests at all. Requests in flight finish.' },
  enabled: {
    verb: 'Enable',
    done: 'is enabled',
    means: 'It takes its share again, as soon as its health checks agree.',
  },
};

const Take = ({ to, ...row }: RowProps & { readonly to: Goal }): JSX.Element => (
  <ActionButton permission="operate" label={`${GOALS[to].verb} ${row.endpoint.url}`} act={() => change(row, to)}>
    {GOALS[to].verb}
  </ActionButton>
);

async function change({ service, version, endpoint }: RowProps, to: Goal): Promise<void> {
  const { url, inFlight, state } = endpoint;
  const { verb, done, means } = GOALS[to];
  const also = service.versions.filter(
    (each) => each.name !== version && each.endpoints.some((one) => one.url === url),
  );
  const losses =
    to === 'enabled' ? [] : [version, ...also.map(({ name }) => name)].map((name) => lossOf(service, name, url));
  const warned = losses.filter((loss) => loss !== null);
  const answer = await ask({
    title: `${verb} ${url}?`,
    body: (
      <>
        <p>
          {means}
          {to !== 'enabled' &&
            ` ${inFlight === 0 ? 'Nothing is' : `${inFlight} ${inFlight === 1 ? 'is' : 'are'}`} in flight now.`}
        </p>
        {also.length > 0 && (
          <p>It is an endpoint of {also.map(({ name }) => name).join(', ')} as well, and changes there too.</p>
        )}
        {warned.length > 0 && (
          <ul class="warnings">
            {warned.map((loss) => (
              <li key={loss}>
                <span aria-hidden="true">!</span> {loss}
              </li>
            ))}
          </ul>
        )}
      </>
    ),
    confirm: verb,
    danger: warned.length > 0,
    reason: 'optional',
  });
  if (answer === null) return;
  const set = (goal: Goal, reason: string): Promise<unknown> =>
    call(`api/v1/services/${part(service.name)}/endpoints/state`, {
      method: 'PUT',
      body: { url, state: goal, ...(reason !== '' && { reason }) },
    });
  if ((await attempt(() => set(to, answer.reason))) === null) return;
  const before: Goal = state === 'enabled' ? 'enabled' : state === 'draining' ? 'drain' : 'disabled';
  notify('done', `${url} ${done}.`, () => {
    void attempt(() => set(before, 'undone in the dashboard')).then(
      (undone) => undone !== null && notify('done', `${url} ${GOALS[before].done} again.`),
    );
  });
}

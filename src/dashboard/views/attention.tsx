/**
 * What needs somebody, above everything else: versions with users and no endpoint, alerts that fire, critical notifications that nobody has acknowledged, a state
 * that cannot be written, workers that are missing. Nothing is shown where there is nothing.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, part } from '../api/client.ts';
import type { NotificationView } from '../api/views.ts';
import { ago, number, percent } from '../format.ts';
import { linkTo } from '../router.ts';
import { attempt, notify } from '../state/actions.ts';
import type { Live } from '../state/dashboard.ts';
import { useLoaded } from '../state/loaded.ts';
import { ActionButton } from '../ui/action-button.tsx';

/** Events behind which there may be another notification; the newest of them says when to ask again. */
const RELEVANT = /^(rollout\.|store\.|alert|endpoint\.|notification\.)/;

export function Attention({ now }: { readonly now: Live }): JSX.Element | null {
  const [acknowledged, setAcknowledged] = useState(0);
  const newest = now.events.find(({ type }) => RELEVANT.test(type))?.id ?? 0;
  const notifications = useLoaded(
    () => call<{ readonly notifications: readonly NotificationView[] }>('api/v1/notifications'),
    'notifications',
    `${newest} ${acknowledged}`,
  );
  const open = (notifications.data?.notifications ?? []).filter(({ acknowledged }) => acknowledged === null);
  const { state } = now;
  const alerts = state?.services.flatMap((service) => service.alerts) ?? [];
  const trouble = state?.status.store.trouble ?? null;
  const missing = state === null ? 0 : state.status.workers.configured - state.status.workers.listening;
  const empty = (state?.services ?? []).flatMap((service) =>
    service.versions
      .filter(({ weight, endpoints }) => weight > 0 && endpoints.every(({ available }) => !available))
      .map((version) => ({ service: service.name, ...version })),
  );
  if (alerts.length + open.length + empty.length === 0 && trouble === null && missing === 0) return null;
  return (
    <section class="attention" aria-label="Needs attention">
      <ul>
        {trouble !== null && <li class="bad">The state cannot be written: {trouble.message}</li>}
        {missing > 0 && state?.status.state === 'serving' && (
          <li class="bad">
            {missing} of {state.status.workers.configured} workers {missing === 1 ? 'is' : 'are'} not listening.
          </li>
        )}
        {empty.map(({ service, name, weight }) => (
          <li key={`${service} ${name}`} class="bad">
            <span>
              <a href={linkTo.service(service)}>{service}</a> {name} has {percent(weight)} and no available endpoint.
            </span>
          </li>
        ))}
        {alerts.map((alert) => (
          <li
            key={`${alert.service} ${alert.version} ${alert.endpoint ?? ''} ${alert.name}`}
            class={alert.state === 'firing' ? 'bad' : 'warn'}
          >
            <span>
              <b>{alert.name}</b> {alert.state}: <a href={linkTo.service(alert.service)}>{alert.service}</a>{' '}
              {alert.version} {alert.endpoint ?? ''} {alert.metric} {number(alert.value)} (limit{' '}
              {number(alert.threshold)})
            </span>
          </li>
        ))}
        {open.map((notification) => (
          <li key={notification.id} class={notification.severity === 'critical' ? 'bad' : 'warn'}>
            <span>
              {notification.message} <span class="muted">{ago(notification.at, Date.now())}</span>
            </span>
            <ActionButton
              permission="operate"
              act={() => acknowledge(notification.id).then(() => setAcknowledged((count) => count + 1))}
              kind="quiet"
            >
              Acknowledge
            </ActionButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

async function acknowledge(id: string): Promise<void> {
  const done = await attempt(() => call(`api/v1/notifications/${part(id)}/acknowledge`, { method: 'POST', body: {} }));
  if (done !== null) notify('done', 'Acknowledged.');
}

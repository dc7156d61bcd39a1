/**
 * `sluice notifications`: what somebody has to look at or has looked at; `acknowledge` says that it is in hands, and it is not escalated any
 * further.
 */
import type { NotificationView } from '../control/operations.ts';
import { pathOf } from './client/admin-client.ts';
import { REASON_OPTION } from './client/applied.ts';
import { clientCommand, namedWords } from './client/client-command.ts';
import { time } from './client/format.ts';
import { type Cell, type Paint, type Tone, table } from './client/table.ts';

export const notificationsCommand = clientCommand(
  {
    name: 'notifications',
    summary: 'show what has to be acknowledged, or acknowledge it',
    about:
      'Show notifications that have to be acknowledged, or have been. What is critical and not acknowledged in time is sent to the ' +
      'next channel, as the configuration ' +
      'says.',
    usage: ['', 'acknowledge NOTIFICATION [OPTIONS]'],
    options: REASON_OPTION,
    examples: ['sluice notifications', 'sluice notifications acknowledge 17 --reason "on it"'],
  },
  async ({ admin, words, options, show, paint }) => {
    if (words[0] === 'acknowledge') {
      const [id] = namedWords(words.slice(1), ['NOTIFICATION']);
      const { reason } = options;
      const path = pathOf('notifications', id, 'acknowledge');
      const notification = await admin.send<NotificationView>('POST', path, { body: { reason } });
      show(notification, () => notificationTable([notification], paint));
      return;
    }
    namedWords(words, []);
    const answer = await admin.get<{ readonly notifications: readonly NotificationView[] }>(pathOf('notifications'));
    show(answer, () => notificationTable(answer.notifications, paint));
  },
);

const TONES: Readonly<Record<NotificationView['severity'], Tone>> = {
  info: 'faint',
  warning: 'warning',
  critical: 'bad',
};

function notificationTable(notifications: readonly NotificationView[], paint: Paint): string {
  const rows = notifications.map(({ id, at, severity, type, acknowledged, escalatedAt, message }): Cell[] => [
    id,
    time(at),
    { text: severity, tone: TONES[severity] ?? 'strong' },
    type,
    acknowledged === null ? '-' : acknowledged.by,
    escalatedAt === null ? '-' : time(escalatedAt),
    message,
  ]);
  return table(['ID', 'AT', 'SEVERITY', 'TYPE', 'ACKNOWLEDGED', 'ESCALATED', 'MESSAGE'], rows, paint);
}

/**
 * Which events are shown: by level, by the beginning of their type, by service, and by words. All of it in memory, at every key.
 */
import type { EventLevel, SluiceEvent } from '../../api/views.ts';

export interface EventChoice {
  /** At least so bad. */
  readonly level: EventLevel;
  /** `rollout` is all that is called so or begins with `rollout.`; empty: any. */
  readonly group: string;
  readonly service: string;
  /** Each of them must be somewhere in the event. */
  readonly words: string;
}

export const EVERYTHING: EventChoice = { level: 'info', group: '', service: '', words: '' };

const RANK: Readonly<Record<EventLevel, number>> = { info: 0, warning: 1, critical: 2 };

export const groupOf = (type: string): string => type.split('.', 1)[0] ?? type;

export function isChosen(event: SluiceEvent, { level, group, service, words }: EventChoice): boolean {
  if ((RANK[event.level] ?? 0) < RANK[level]) return false;
  if (group !== '' && groupOf(event.type) !== group) return false;
  if (service !== '' && event.service !== service) return false;
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return true;
  const { type, message, version = '', endpoint = '' } = event;
  const text = [type, message, event.service ?? '', version, endpoint, JSON.stringify(event.data ?? '')]
    .join(' ')
    .toLowerCase();
  return wanted.every((word) => text.includes(word));
}

/** The rollout that an event is about; null where it is about none. */
export function rolloutOfEvent({ type, data }: SluiceEvent): string | null {
  const id = type.startsWith('rollout.') ? data?.rollout : null;
  return typeof id === 'string' ? id : null;
}

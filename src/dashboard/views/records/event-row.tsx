/**
 * One event: when, how bad, what, about whom, in words; and its data for those who want it all.
 *
 * Made once per event: the page is rendered every second, and a list of some hundred rows need not be compared each time.
 */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { SluiceEvent } from '../../api/views.ts';
import { linkTo } from '../../router.ts';
import { LevelBadge } from '../../ui/badges.tsx';
import { JsonText } from '../../ui/json-text.tsx';
import { Time } from '../../ui/time.tsx';
import { rolloutOfEvent } from './event-choice.ts';

export function EventRow({ event }: { readonly event: SluiceEvent }): JSX.Element {
  const [open, setOpen] = useState(false);
  return useMemo(() => <Row event={event} open={open} onOpen={setOpen} />, [event, open]);
}

interface RowProps {
  readonly event: SluiceEvent;
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
}

function Row({ event, open, onOpen }: RowProps): JSX.Element {
  const { id, at, type, level, service, version, endpoint, message, data } = event;
  const rollout = rolloutOfEvent(event);
  return (
    <li class={`event event-${level}`}>
      <Time at={at} />
      <LevelBadge level={level} />
      <span class="event-type mono">{type}</span>
      <div class="event-text">
        <p>{message}</p>
        <p class="event-about">
          {service !== undefined && <a href={linkTo.service(service)}>{service}</a>}
          {rollout !== null && <a href={linkTo.rollout(rollout)}>{rollout}</a>}
          {version !== undefined && <span>{version}</span>}
          {endpoint !== undefined && !message.includes(endpoint) && <span class="mono">{endpoint}</span>}
        </p>
      </div>
      <button
        type="button"
        class="button button-quiet event-more"
        aria-expanded={open}
        aria-label={`Data of event ${id}`}
        onClick={() => onOpen(!open)}
      >
        {open ? 'Less' : 'Data'}
      </button>
      {open && (
        <div class="event-data">
          <JsonText value={{ id, at, ...(data !== undefined && { data }) }} label={`Data of event ${id}`} />
        </div>
      )}
    </li>
  );
}

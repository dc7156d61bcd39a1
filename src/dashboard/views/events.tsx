/**
 * What happened, as it happens: newest first, filtered in memory, older ones read on demand.
 *
 * Paused, the list stands still and what comes is counted, because a list that moves cannot be read. A pause does not stop anything else of the page.
 */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { EventLevel, SluiceEvent } from '../api/views.ts';
import { attempt } from '../state/actions.ts';
import type { Live } from '../state/dashboard.ts';
import { Empty, Panel } from '../ui/panel.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { EVERYTHING, type EventChoice, groupOf, isChosen } from './records/event-choice.ts';
import { EventRow } from './records/event-row.tsx';
import { merged } from './records/merged.ts';
import { PAGE, readBack } from './records/read-back.ts';

/** Older events that are asked for at once. */
const MORE = 200;
/** Rows on the page at first, and more of them with each wish. */
const SHOWN = 200;

const numberOf = ({ id }: SluiceEvent): number => id;

export function EventsPage({ now }: { readonly now: Live }): JSX.Element {
  const [choice, setChoice] = useState<EventChoice>(EVERYTHING);
  const [kept, setKept] = useState<readonly SluiceEvent[]>([]);
  const [read, setRead] = useState<{ readonly before: number; readonly more: boolean } | null>(null);
  const [paused, setPaused] = useState<number | null>(null);
  const [limit, setLimit] = useState(SHOWN);
  const [loading, setLoading] = useState(false);
  const all = useMemo(() => merged(numberOf, kept, now.events), [kept, now.events]);
  const chosen = useMemo(() => all.filter((event) => isChosen(event, choice)), [all, choice]);
  const rows = paused === null ? chosen : chosen.filter(({ id }) => id <= paused);
  const fresh = chosen.length - rows.length;
  const oldest = read?.before ?? all.at(-1)?.id ?? 0;
  const more = read?.more ?? oldest > 1;
  const older = async (): Promise<void> => {
    setLimit(limit + SHOWN);
    if (rows.length > limit || !more) return;
    setLoading(true);
    const found = await attempt(() =>
      readBack(oldest, MORE, numberOf, (since) =>
        call<readonly SluiceEvent[]>(`api/v1/events?since=${since}&limit=${PAGE}`),
      ),
    );
    setLoading(false);
    if (found === null) return;
    // What is there already is kept too: the live list forgets its oldest when new ones come.
    setKept(merged(numberOf, all, found.rows));
    setRead(found);
  };
  const pause = (): void => {
    setKept(all);
    setPaused(paused === null ? (all[0]?.id ?? 0) : null);
  };
  return (
    <>
      <h1 class="visually-hidden">Events</h1>
      <Panel
        title="Events"
        class="records"
        aside={
          <>
            <span class="muted">
              {rows.length} shown{all.length !== rows.length && ` of ${all.length}`}
            </span>
            <button
              type="button"
              class={`button ${fresh > 0 ? 'button-primary' : ''}`}
              aria-pressed={paused !== null}
              onClick={pause}
            >
              {paused === null ? 'Pause' : fresh > 0 ? `Show ${fresh} new` : 'Resume'}
            </button>
          </>
        }
      >
        <Filters choice={choice} events={all} onChoose={setChoice} />
        {rows.length === 0 ? (
          <Empty>{all.length === 0 ? 'Nothing has happened yet.' : 'No event fits these filters.'}</Empty>
        ) : (
          <ol class="event-list">
            {rows.slice(0, limit).map((event) => (
              <EventRow key={event.id} event={event} />
            ))}
          </ol>
        )}
        <footer class="records-foot">
          {more || rows.length > limit ? (
            <button type="button" class="button" disabled={loading} aria-busy={loading} onClick={() => void older()}>
              {loading ? 'Loading …' : 'Older events'}
            </button>
          ) : (
            all.length > 0 && <span class="muted">These are all that are kept.</span>
          )}
        </footer>
      </Panel>
    </>
  );
}

interface FiltersProps {
  readonly choice: EventChoice;
  readonly events: readonly SluiceEvent[];
  readonly onChoose: (choice: EventChoice) => void;
}

const LEVELS: readonly (readonly [level: EventLevel, words: string])[] = [
  ['info', 'All levels'],
  ['warning', 'Warnings and critical'],
  ['critical', 'Critical only'],
];

function Filters({ choice, events, onChoose }: FiltersProps): JSX.Element {
  const groups = [...new Set([...events.map(({ type }) => groupOf(type)), choice.group])].filter(Boolean).sort();
  const services = [...new Set([...events.flatMap(({ service }) => service ?? []), choice.service])]
    .filter(Boolean)
    .sort();
  return (
    <search class="filters">
      <SelectField
        label="Level"
        value={choice.level}
        options={LEVELS}
        choose={(level) => onChoose({ ...choice, level: level as EventLevel })}
      />
      <SelectField
        label="About"
        value={choice.group}
        options={[['', 'Everything'], ...groups]}
        choose={(group) => onChoose({ ...choice, group })}
      />
      <SelectField
        label="Service"
        value={choice.service}
        options={[['', 'All services'], ...services]}
        choose={(service) => onChoose({ ...choice, service })}
      />
      <label class="field filter-words">
        <span>Words</span>
        <input
          type="search"
          value={choice.words}
          placeholder="in the message, the type or the data"
          onInput={(event) => onChoose({ ...choice, words: event.currentTarget.value })}
        />
      </label>
    </search>
  );
}

/**
 * `types=endpoint.*,alert`: which events a reader wants.
 *
 * A word is an event type, or a beginning of one followed by `*`. A word that can never match anything is refused, since the reader would
 * wait for ever.
 */
import { nearestName } from '../config/nearest-name.ts';
import { EVENT_TYPES, type EventType, type SluiceEvent } from '../events/event.ts';
import { matchesTypes } from '../events/event-filter.ts';
import { OperationError } from '../problems.ts';

export type EventFilter = (event: SluiceEvent) => boolean;

const KNOWN = Object.keys(EVENT_TYPES) as EventType[];
/** `endpoint.*` and the like. */
const GROUPS = [...new Set(KNOWN.filter((type) => type.includes('.')).map((type) => `${type.split('.', 1)[0]}.*`))];

/** @throws OperationError invalid_request */
export function eventFilter(types: string | undefined): EventFilter {
  if (types === undefined || types.trim() === '') return () => true;
  const words = types.split(',').map((word) => word.trim());
  for (const word of words) refuseUnknown(word);
  return (event) => matchesTypes(words, event.type);
}

function refuseUnknown(word: string): void {
  if (KNOWN.some((type) => matchesTypes([word], type))) return;
  const guess = nearestName(word, [...KNOWN, ...GROUPS]);
  const hint = guess === null ? `there are: ${KNOWN.join(', ')}` : `did you mean ${guess}?`;
  throw new OperationError('invalid_request', `There is no event type ${JSON.stringify(word)}; ${hint}`, [
    { field: 'query:types', message: `no event type ${JSON.stringify(word)}; ${hint}` },
  ]);
}

/**
 * If-Match on lanes and weights: the change is made only where nobody else has made one since its author looked.
 *
 * The field may be `*` or a list, which the control plane knows nothing of: it compares one word. So the list is compared here with the present
 * state, and the one word that matched goes on to the operation, which compares again where changes are one behind the other. A change that
 * slips in between is therefore still found. The refusal tells the present weights, so that their author need not ask again.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { WeightsView } from '../operations.ts';
import { OperationError } from '../problems.ts';
import { matchesStrongly, matchesWeakly, parseTags, type TagList } from './entity-tag.ts';

export class ChangedMeanwhile extends OperationError {
  readonly present: WeightsView;

  constructor(present: WeightsView) {
    super(
      'changed_meanwhile',
      'Lanes or weights are not what If-Match names; look at the present ones and decide again.',
    );
    this.present = present;
  }
}

/** Makes the change under the precondition of the request. @param present of the service that is changed. */
export async function underPrecondition<T>(
  headers: IncomingHttpHeaders,
  present: () => WeightsView,
  change: (ifMatch: { readonly ifMatch?: string }) => Promise<T>,
): Promise<T> {
  const wanted = tagsOf(headers['if-match'], 'If-Match');
  if (wanted === null) return change({});
  const now = present();
  if (!matchesStrongly(wanted, now.etag)) throw new ChangedMeanwhile(now);
  if (wanted === '*') return change({});
  try {
    return await change({ ifMatch: now.etag });
  } catch (error) {
    if (error instanceof OperationError && error.code === 'changed_meanwhile') throw new ChangedMeanwhile(present());
    throw error;
  }
}

/** Whether the client has this state already, by If-None-Match. */
export function isKnown(headers: IncomingHttpHeaders, etag: string): boolean {
  const known = tagsOf(headers['if-none-match'], 'If-None-Match');
  return known !== null && matchesWeakly(known, etag);
}

/** A condition that nobody looks at would be worse than none. */
export function refuseConditions(headers: IncomingHttpHeaders, names: readonly ('if-match' | 'if-none-match')[]): void {
  for (const name of names) {
    if (headers[name] === undefined) continue;
    const field = name === 'if-match' ? 'If-Match' : 'If-None-Match';
    throw new OperationError('invalid_request', `This call has no entity tag to compare; leave ${field} out.`);
  }
}

function tagsOf(field: string | undefined, name: string): TagList | null {
  if (field === undefined) return null;
  const tags = parseTags(field);
  if (tags !== null) return tags;
  throw new OperationError('invalid_request', `${name} must be * or entity tags in double quotes, such as "abc".`);
}

/**
 * One row of the audit: who did what to what, why, and what became different; and below it, opened, all that it has.
 *
 * Before and after are whole values, and of most only a number or two has changed: the row names those, and the values are there for who doubts it.
 * Made once per row, as the page is rendered every second.
 */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { AuditRow } from '../../api/views.ts';
import { JsonText } from '../../ui/json-text.tsx';
import { Time } from '../../ui/time.tsx';
import { linkOfTarget } from './audit-query.ts';
import { type Change, changesOf } from './difference.ts';

/** Columns of the table. */
export const COLUMNS = 8;
/** Changes that are named in the row. */
const NAMED = 3;

export function AuditRows({ row }: { readonly row: AuditRow }): JSX.Element {
  const [open, setOpen] = useState(false);
  return useMemo(() => <Row row={row} open={open} onOpen={setOpen} />, [row, open]);
}

interface RowProps {
  readonly row: AuditRow;
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
}

function Row({ row, open, onOpen }: RowProps): JSX.Element {
  const { seq, at, actor, role, address, action, target, before, after, reason, hash } = row;
  const changes = changesOf(before, after);
  const link = linkOfTarget(target);
  return (
    <>
      <tr class={open ? 'opened' : ''}>
        <td class="number muted">{seq}</td>
        <td class="nowrap">
          <Time at={at} />
        </td>
        <td>
          {actor}
          <span class="audit-who">
            {role} · <span class="nowrap">{address === '' ? 'within Sluice' : address}</span>
          </span>
        </td>
        <td class="mono audit-action">{action}</td>
        <td class="audit-target">{link === null ? target : <a href={link}>{target}</a>}</td>
        <td data-label="Reason">{reason === '' ? <span class="muted">none given</span> : reason}</td>
        <td data-label="Change">
          <Changes changes={changes} />
        </td>
        <td>
          <button
            type="button"
            class="button button-quiet"
            aria-expanded={open}
            aria-label={`All of row ${seq}`}
            onClick={() => onOpen(!open)}
          >
            {open ? 'Less' : 'All'}
          </button>
        </td>
      </tr>
      {open && (
        <tr class="audit-all">
          <td colSpan={COLUMNS}>
            <div class="audit-sides">
              <div>
                <h3>Before</h3>
                <JsonText value={before} label={`Before row ${seq}`} />
              </div>
              <div>
                <h3>After</h3>
                <JsonText value={after} label={`After row ${seq}`} />
              </div>
            </div>
            <p class="muted">
              Hash <span class="mono">{hash}</span>
            </p>
          </td>
        </tr>
      )}
    </>
  );
}

function Changes({ changes }: { readonly changes: readonly Change[] }): JSX.Element {
  if (changes.length === 0) return <span class="muted">nothing</span>;
  const rest = changes.length - NAMED;
  return (
    <ul class="changes">
      {changes.slice(0, NAMED).map(({ place, before, after }) => (
        <li key={place}>
          {place !== '' && <span class="muted">{place} </span>}
          {before !== null && <del>{before}</del>}
          {before !== null && ' '}
          {after === null ? <span class="muted">→ nothing</span> : <ins>{before === null ? after : `→ ${after}`}</ins>}
        </li>
      ))}
      {rest > 0 && <li class="muted">and {rest} more</li>}
    </ul>
  );
}

/**
 * Who changed what, when, from where and why; newest first, filtered by the server, and whether the chain of hashes is whole.
 *
 * Asked for again when Sluice has a new state or tells of a change, so the list stays as it is; rows that were read stay when newer ones come before them.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { AuditRow, AuditVerdict } from '../api/views.ts';
import { attempt } from '../state/actions.ts';
import type { Live } from '../state/dashboard.ts';
import { useLoaded } from '../state/loaded.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Empty, Failure, Panel } from '../ui/panel.tsx';
import { TableScroll } from '../ui/table-scroll.tsx';
import { type AuditFilter, auditPath, NO_FILTER } from './records/audit-query.ts';
import { AuditRows } from './records/audit-row.tsx';
import { merged } from './records/merged.ts';
import { PAGE, readBack } from './records/read-back.ts';

interface AuditPageOf {
  readonly rows: readonly AuditRow[];
}

/** Rows of the first answer, and at least of each further one. */
const ROWS = 100;
/** What Sluice sees by itself; nobody has changed anything there. */
const NO_CHANGE = /^(endpoint\.(health|ejected|returned)|alert|worker\.|store\.|access\.)/;

const numberOf = ({ seq }: AuditRow): number => seq;

export function AuditPage({ now }: { readonly now: Live }): JSX.Element {
  const [filter, setFilter] = useState<AuditFilter>(NO_FILTER);
  const newest = now.events.find(({ type }) => !NO_CHANGE.test(type))?.id ?? 0;
  const version = `${now.state?.status.generation} ${newest}`;
  return (
    <>
      <h1 class="visually-hidden">Audit</h1>
      <Panel title="Audit" class="records" aside={<Verify version={version} />}>
        <Filters filter={filter} onFilter={setFilter} />
        <Rows key={JSON.stringify(filter)} filter={filter} version={version} />
      </Panel>
    </>
  );
}

function Rows({ filter, version }: { readonly filter: AuditFilter; readonly version: string }): JSX.Element {
  const [rows, setRows] = useState<readonly AuditRow[]>([]);
  const [read, setRead] = useState<{ readonly before: number; readonly more: boolean } | null>(null);
  const { data, failure } = useLoaded(
    () => call<AuditPageOf>(auditPath(filter, { newest: true, limit: ROWS })),
    JSON.stringify(filter),
    version,
  );
  useEffect(() => {
    if (data !== null) setRows((known) => merged(numberOf, known, data.rows));
  }, [data]);
  if (data === null) return failure === null ? <Empty>Loading …</Empty> : <Failure message={failure} />;
  const shown = rows.length === 0 ? data.rows : rows;
  const before = read?.before ?? shown.at(-1)?.seq ?? 0;
  // A first answer that is not full has everything.
  const more = read?.more ?? (data.rows.length >= ROWS && before > 1);
  const older = async (): Promise<void> => {
    const found = await attempt(() =>
      readBack(before, ROWS, numberOf, async (since) => {
        const page = await call<AuditPageOf>(auditPath(filter, { since, limit: PAGE }));
        return page.rows;
      }),
    );
    if (found === null) return;
    setRows(merged(numberOf, shown, found.rows));
    setRead(found);
  };
  if (shown.length === 0) {
    const some = Object.values(filter).some((value) => value !== '');
    return (
      <Empty>
        {some ? 'No row has exactly these words.' : 'Nobody has changed anything yet, as far as rows are kept.'}
      </Empty>
    );
  }
  return (
    <>
      {failure !== null && <Failure message={failure} />}
      <TableScroll label="Audit">
        <table class="audit">
          <thead>
            <tr>
              <th scope="col" class="number">
                Row
              </th>
              <th scope="col">Time</th>
              <th scope="col">Who</th>
              <th scope="col">Action</th>
              <th scope="col">Target</th>
              <th scope="col">Reason</th>
              <th scope="col">Change</th>
              <th scope="col">
                <span class="visually-hidden">All of it</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <AuditRows key={row.seq} row={row} />
            ))}
          </tbody>
        </table>
      </TableScroll>
      <footer class="records-foot">
        {more ? (
          <ActionButton permission="read" act={older}>
            Older rows
          </ActionButton>
        ) : (
          <span class="muted">These are all that are kept.</span>
        )}
      </footer>
    </>
  );
}

function Filters({
  filter,
  onFilter,
}: {
  readonly filter: AuditFilter;
  readonly onFilter: (filter: AuditFilter) => void;
}): JSX.Element {
  const field = (key: keyof AuditFilter, label: string, example: string): JSX.Element => (
    <label class="field">
      <span>{label}</span>
      <input
        type="search"
        value={filter[key]}
        placeholder={example}
        maxLength={256}
        autocomplete="off"
        spellcheck={false}
        onChange={(event) => onFilter({ ...filter, [key]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <search class="filters">
      {field('actor', 'Who, exactly', 'ci')}
      {field('action', 'Action, exactly', 'weights.set')}
      {field('target', 'Target, exactly', 'services/shop/weights')}
    </search>
  );
}

/** @param version of the audit: what was found of another one is old, and said so. */
function Verify({ version }: { readonly version: string }): JSX.Element {
  const [found, setFound] = useState<{ readonly verdict: AuditVerdict; readonly version: string } | null>(null);
  const verify = async (): Promise<void> => {
    const verdict = await attempt(() => call<AuditVerdict>('api/v1/audit/verify'));
    if (verdict !== null) setFound({ verdict, version });
  };
  return (
    <>
      <span class="audit-verdict" role="status">
        {found !== null && <Verdict verdict={found.verdict} old={found.version !== version} />}
      </span>
      <ActionButton permission="read" act={verify}>
        Verify the chain
      </ActionButton>
    </>
  );
}

function Verdict({ verdict, old }: { readonly verdict: AuditVerdict; readonly old: boolean }): JSX.Element {
  const { ok, rows, head, fault } = verdict;
  if (!ok) {
    return <span class="text-bad">✕ Broken{fault !== undefined && ` at row ${fault.seq}: ${fault.message}`}</span>;
  }
  return (
    <span class={old ? 'muted' : 'text-good'}>
      ✓ Whole: {rows} {rows === 1 ? 'row' : 'rows'}, head{' '}
      <span class="mono" title={head}>
        {head.slice(0, 12)}…
      </span>
      {old && ' (before the last change)'}
    </span>
  );
}

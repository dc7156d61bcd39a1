/**
 * All rollouts that are kept: those under way, then the history with how each came out and its report.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { Phase, RolloutSummary } from '../api/views.ts';
import { ago, date, duration, percent } from '../format.ts';
import { linkTo } from '../router.ts';
import type { Live } from '../state/dashboard.ts';
import { useLoaded } from '../state/loaded.ts';
import { PhaseBadge } from '../ui/badges.tsx';
import { Empty, Failure, Panel } from '../ui/panel.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TableScroll } from '../ui/table-scroll.tsx';
import { type RowFilter, rowsOf, tookOf } from './rollout/rows.ts';
import { isOver, plural, sentence } from './rollout/words.ts';

const PHASES: readonly (readonly [value: RowFilter['phase'], text: string])[] = [
  ['', 'any phase'],
  ['open', 'under way'],
  ['Queued', 'Queued'],
  ['Preflight', 'Preflight'],
  ['Progressing', 'Progressing'],
  ['Paused', 'Paused'],
  ['Promoting', 'Promoting'],
  ['RollingBack', 'Rolling back'],
  ['Succeeded', 'Succeeded'],
  ['RolledBack', 'Rolled back'],
  ['Failed', 'Failed'],
];

export function RolloutsPage({ now }: { readonly now: Live }): JSX.Element {
  const [filter, setFilter] = useState<RowFilter>({ service: '', phase: '' });
  const newest = now.events.find(({ type }) => type.startsWith('rollout.'))?.id ?? 0;
  const listed = useLoaded(
    () => call<{ readonly rollouts: readonly RolloutSummary[] }>('api/v1/rollouts'),
    'rollouts',
    newest,
  );
  const live = now.state?.rollouts ?? [];
  const all = listed.data?.rollouts ?? [];
  const rows = rowsOf(all, live, filter);
  const services = [
    ...new Set(
      [...(now.state?.services ?? []), ...all.map(({ service }) => ({ name: service }))].map(({ name }) => name),
    ),
  ];
  return (
    <>
      <h1>Rollouts</h1>
      {listed.failure !== null && <Failure message={listed.failure} />}
      <Panel
        title={listed.data === null ? 'Loading …' : plural(rows.length, 'rollout')}
        aside={
          <>
            <SelectField
              compact
              label="Service"
              value={filter.service}
              options={[['', 'any service'], ...services]}
              choose={(service) => setFilter({ ...filter, service })}
            />
            <SelectField
              compact
              label="Phase"
              value={filter.phase}
              options={PHASES}
              choose={(phase) => setFilter({ ...filter, phase: phase as Phase | 'open' | '' })}
            />
          </>
        }
      >
        {rows.length === 0 ? (
          <Empty>{emptyText(listed.data !== null, all.length + live.length > 0)}</Empty>
        ) : (
          <RolloutTable rows={rows} />
        )}
      </Panel>
    </>
  );
}

function emptyText(known: boolean, some: boolean): string {
  if (!known) return 'Loading …';
  return some ? 'None is like that.' : 'There was no rollout yet. A service’s page starts one.';
}

const RolloutTable = ({ rows }: { readonly rows: readonly RolloutSummary[] }): JSX.Element => (
  <TableScroll label="Rollouts">
    <table class="rollouts">
      <thead>
        <tr>
          <th scope="col">Rollout</th>
          <th scope="col">Phase</th>
          <th scope="col">Service</th>
          <th scope="col">Versions</th>
          <th scope="col">Strategy</th>
          <th scope="col">Began</th>
          <th scope="col">Took</th>
          <th scope="col">By</th>
          <th scope="col">How it stands</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((rollout) => (
          <Row key={rollout.id} rollout={rollout} />
        ))}
      </tbody>
    </table>
  </TableScroll>
);

function Row({ rollout }: { readonly rollout: RolloutSummary }): JSX.Element {
  const { id, service, version, stable, strategy, phase, createdAt, startedAt, startedBy } = rollout;
  const over = isOver(phase);
  const at = startedAt ?? createdAt;
  return (
    <tr class={over ? '' : 'under-way'}>
      <th scope="row">
        <a href={linkTo.rollout(id)}>{id}</a>
      </th>
      <td>
        <PhaseBadge phase={phase} />
      </td>
      <td>
        <a href={linkTo.service(service)}>{service}</a>
      </td>
      <td>
        {stable} → {version}
      </td>
      <td>{strategy}</td>
      <td data-label="began">
        <time dateTime={at} title={date(at)}>
          {ago(at, Date.now())}
        </time>
      </td>
      <td data-label="took">{duration(tookOf(rollout, Date.now()))}</td>
      <td data-label="by">{startedBy}</td>
      <td class="wide">
        {standing(rollout)}{' '}
        {over && (
          <a class="nowrap" href={linkTo.report(id)}>
            Report<span class="visually-hidden"> of {id}</span>
          </a>
        )}
      </td>
    </tr>
  );
}

function standing({ outcome, waiting, step, stepCount, weight, version }: RolloutSummary): string {
  if (outcome !== null) return sentence(outcome);
  const place = step === 0 ? 'Not begun.' : `${version} has ${percent(weight)} in step ${step} of ${stepCount}.`;
  return waiting === null ? place : `${place} ${sentence(waiting)}`;
}

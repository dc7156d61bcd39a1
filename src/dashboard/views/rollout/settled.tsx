/**
 * What was settled around a rollout: who approved it, how risky its start was, and whether the way back left everything as it was.
 */
import type { JSX } from 'preact';
import type { ApprovalView, Risk, RollbackView, RolloutView } from '../../api/views.ts';
import { date, number } from '../../format.ts';
import { Badge } from '../../ui/badges.tsx';
import { Meter } from '../../ui/meter.tsx';
import { Panel } from '../../ui/panel.tsx';
import { TableScroll } from '../../ui/table-scroll.tsx';
import { plural, sentence } from './words.ts';

export function ApprovalsPanel({ approvals }: { readonly approvals: RolloutView['approvals'] }): JSX.Element | null {
  const { required, given, missing } = approvals;
  if (required === 0 && given.length === 0) return null;
  return (
    <Panel
      title="Approvals"
      aside={
        required > 0 && (
          <span class="muted">
            {given.length} of {required} given
          </span>
        )
      }
    >
      {missing !== null && <p class="text-warn">{sentence(missing)}</p>}
      {given.length > 0 && <ApprovalTable approvals={given} />}
    </Panel>
  );
}

export const ApprovalTable = ({ approvals }: { readonly approvals: readonly ApprovalView[] }): JSX.Element => (
  <TableScroll label="Approvals">
    <table>
      <thead>
        <tr>
          <th scope="col">Approver</th>
          <th scope="col">Role</th>
          <th scope="col">Given</th>
          <th scope="col">Holds until</th>
          <th scope="col">Signed</th>
        </tr>
      </thead>
      <tbody>
        {approvals.map(({ approver, role, at, expires, signed }) => (
          <tr key={`${approver} ${at}`}>
            <td>{approver}</td>
            <td>{role}</td>
            <td>{date(at)}</td>
            <td>{date(expires)}</td>
            <td>{signed ? 'yes' : 'no, by token'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </TableScroll>
);

/** From this score on it is coloured; what it means is up to `approveAboveRisk`. */
const HIGH = 50;

export const RiskPanel = ({ risk }: { readonly risk: Risk }): JSX.Element => (
  <Panel title="Risk of the start" aside={<span class="muted">{number(risk.score)} of 100</span>}>
    <RiskScore risk={risk} />
    <details class="risk">
      <summary>What it is made of</summary>
      <RiskItems risk={risk} />
    </details>
  </Panel>
);

export const RiskScore = ({ risk: { score } }: { readonly risk: Risk }): JSX.Element => (
  <Meter value={score / 100} tone={score >= HIGH ? 'warn' : 'good'} />
);

export const RiskItems = ({ risk: { items } }: { readonly risk: Risk }): JSX.Element => (
  <ul class="risk-items">
    {items
      .toSorted((a, b) => b.points - a.points)
      .map(({ name, points, message }) => (
        <li key={name} class={points === 0 ? 'muted' : ''}>
          <b>{points === 0 ? '0' : `+${number(points)}`}</b>
          <span>{message}</span>
        </li>
      ))}
  </ul>
);

export function WayBackPanel({
  rollback,
  version,
}: {
  readonly rollback: RollbackView | null;
  readonly version: string;
}): JSX.Element | null {
  if (rollback === null) return null;
  const { mode, drained, inFlight, verified } = rollback;
  return (
    <Panel title="The way back" aside={<span class="muted">{mode === 'immediate' ? 'at once' : 'step by step'}</span>}>
      <ul class="checks">
        <li>
          <Badge tone={drained ? 'good' : 'busy'}>{drained ? 'drained' : 'draining'}</Badge>
          <span>{drainWords(drained, inFlight, version)}</span>
        </li>
        <li>
          <Badge tone={verified === null ? 'calm' : verified.ok ? 'good' : 'bad'}>
            {verified === null ? 'not checked yet' : verified.ok ? 'verified' : 'differs'}
          </Badge>
          <span>
            {verified === null
              ? 'It is compared with the state before the start when nothing is in flight.'
              : verified.ok
                ? 'The state is as it was before the start.'
                : 'Not everything is as it was before the start.'}
            {verified !== null && verified.differences.length > 0 && (
              <span class="muted"> {verified.differences.map(sentence).join(' ')}</span>
            )}
          </span>
        </li>
      </ul>
    </Panel>
  );
}

function drainWords(drained: boolean, inFlight: number, version: string): string {
  if (drained) return `Nothing is in flight on ${version} any more.`;
  return inFlight > 0
    ? `${plural(inFlight, 'request')} still in flight on ${version}.`
    : `Traffic is still leaving ${version}.`;
}

/**
 * Conditions and rules as tables. A condition that passes lets a step go on; a rule that is met warns or takes the version back: the same word means good in the one
 * and bad in the other, so each has words of its own.
 */
import type { JSX } from 'preact';
import type { ConditionResult } from '../../api/views.ts';
import { number } from '../../format.ts';
import { Badge, StatusBadge } from '../../ui/badges.tsx';
import { Panel } from '../../ui/panel.tsx';
import { TableScroll } from '../../ui/table-scroll.tsx';
import { conditionValue, sentence } from './words.ts';

export interface ConditionsPanelProps {
  readonly conditions: readonly ConditionResult[];
  readonly rules: readonly ConditionResult[];
  readonly over: boolean;
}

export const ConditionsPanel = ({ conditions, rules, over }: ConditionsPanelProps): JSX.Element => (
  <Panel title="Conditions">
    {conditions.length === 0 ? (
      <p class="muted conditions-none">
        {over ? 'The last step had no condition.' : 'This step has no condition; its time and the evidence decide.'}
      </p>
    ) : (
      <ConditionTable conditions={conditions} caption={over ? 'As they were last' : 'To pass the present step'} />
    )}
    {rules.length > 0 && <ConditionTable conditions={rules} caption="Met, these warn or take it back" isRule />}
  </Panel>
);

export const ConditionTable = ({
  conditions,
  caption,
  isRule = false,
}: {
  readonly conditions: readonly ConditionResult[];
  readonly caption: string;
  readonly isRule?: boolean;
}): JSX.Element => (
  <TableScroll label={caption}>
    <table class="conditions">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Condition</th>
          <th scope="col">Now</th>
          <th scope="col" class="number">
            Value
          </th>
          <th scope="col" class="number">
            Limit
          </th>
          <th scope="col" class="number">
            Baseline
          </th>
          <th scope="col" class="number">
            Samples
          </th>
          <th scope="col">In words</th>
        </tr>
      </thead>
      <tbody>
        {conditions.map((result) => (
          <tr key={result.condition}>
            <td>
              <code>{result.condition}</code>
            </td>
            <td>{isRule ? <RuleBadge status={result.status} /> : <StatusBadge status={result.status} />}</td>
            <td class="number">{conditionValue(result, result.value)}</td>
            <td class="number">{conditionValue(result, result.limit)}</td>
            <td class="number">{conditionValue(result, result.baseline)}</td>
            <td class="number">{number(result.samples)}</td>
            <td class="wide muted">{sentence(result.message)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </TableScroll>
);

function RuleBadge({ status }: { readonly status: ConditionResult['status'] }): JSX.Element {
  if (status === 'pass') return <Badge tone="bad">met</Badge>;
  return status === 'fail' ? <Badge tone="good">not met</Badge> : <StatusBadge status={status} />;
}

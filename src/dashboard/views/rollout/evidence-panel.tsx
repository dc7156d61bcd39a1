/**
 * The evidence: how strongly the requests so far speak against the canary, test by test, and how that grew while the page was open.
 *
 * For a reader without statistics one sentence is enough: the line, the dashed line, what happens there. The numbers behind it are Sluice's own sentences.
 */
import type { JSX } from 'preact';
import type { EvidenceReading, RolloutView, TestReading } from '../../api/views.ts';
import { number, percent } from '../../format.ts';
import type { EvidencePoint } from '../../state/evidence-series.ts';
import { Badge } from '../../ui/badges.tsx';
import { Chart, type Line } from '../../ui/chart.tsx';
import { Meter } from '../../ui/meter.tsx';
import { Empty, Panel } from '../../ui/panel.tsx';
import { evidenceColumns, MOST } from './evidence-columns.ts';
import { eValue, evidenceNotes, isOver, type Note, sentence, strengthOf, TEST_STATES, TEST_WORDS } from './words.ts';

/** Seconds that the chart shows at least. */
const SPAN = 60;

export interface EvidencePanelProps {
  readonly rollout: RolloutView;
  readonly points: readonly EvidencePoint[];
}

export function EvidencePanel({ rollout, points }: EvidencePanelProps): JSX.Element {
  const { evidence, version, phase } = rollout;
  const over = isOver(phase);
  const on = evidence.tests.filter(({ state }) => state !== 'off');
  return (
    <Panel title="Evidence" aside={<Budget evidence={evidence} />} class="evidence">
      {on.length === 0 ? (
        <Empty>{nothingWords(rollout)}</Empty>
      ) : over && points.length < 2 ? (
        <>
          <p class="muted">
            As it was at the end. This page was not open while the rollout ran, so there is no curve of how it grew.
          </p>
          <TestList tests={on} notes={evidenceNotes(evidence)} isWide />
        </>
      ) : (
        <div class="evidence-columns">
          <div>
            <p class="muted">
              A line is how strongly the requests so far speak against {version}. At the dashed line it is enough, and{' '}
              {version} is taken back.
            </p>
            {points.length < 2 ? (
              <Empty>The curve begins now.</Empty>
            ) : (
              <EvidenceChart points={points} tests={on} version={version} />
            )}
          </div>
          <TestList tests={on} notes={evidenceNotes(evidence)} />
        </div>
      )}
    </Panel>
  );
}

function nothingWords({ phase, version, evidence }: RolloutView): string {
  if (evidence.tests.length > 0) return 'This strategy looks at no evidence; its conditions decide.';
  if (isOver(phase)) return `There is none: no user has got ${version}.`;
  return `It begins with the first request that a user sends to ${version}.`;
}

function EvidenceChart({
  points,
  tests,
  version,
}: {
  readonly points: readonly EvidencePoint[];
  readonly tests: readonly TestReading[];
  readonly version: string;
}): JSX.Element {
  const { times, lines } = evidenceColumns(points, tests);
  const drawn: Line[] = lines.map(({ test, values }) => ({
    ...{ label: TEST_WORDS[test].short, color: TEST_WORDS[test].color, values },
    fill: test === 'errors',
  }));
  const enough: Line = { label: 'enough', color: '--text', values: times.map(() => 100), dash: true };
  return (
    <Chart
      label={`Evidence against ${version} in percent of what is enough`}
      times={times}
      lines={[...drawn, enough]}
      format={(value) => percent(Math.round(value))}
      height={230}
      span={SPAN}
      least={115}
      most={MOST}
    />
  );
}

export const TestList = ({
  tests,
  notes,
  isWide = false,
}: {
  readonly tests: readonly TestReading[];
  readonly notes: readonly Note[];
  /** Beside each other where there is room. */
  readonly isWide?: boolean;
}): JSX.Element => (
  <ul class={`tests ${isWide ? 'tests-wide' : ''}`}>
    {tests.map((reading) => (
      <Test key={reading.test} reading={reading} />
    ))}
    {notes.map(({ tone, text }) => (
      <li key={text} class={`text-${tone}`}>
        {text}
      </li>
    ))}
  </ul>
);

function Test({ reading }: { readonly reading: TestReading }): JSX.Element {
  const { test, state, logE, threshold, message } = reading;
  const { title, color } = TEST_WORDS[test];
  const strength = strengthOf(reading);
  const needed = threshold === null ? '' : ` of ${eValue(threshold)}`;
  return (
    <li class="test">
      <div class="test-head">
        <i class="test-swatch" style={{ background: `var(${color})` }} aria-hidden="true" />
        <b>{title}</b>
        <Badge tone={state === 'crossed' ? 'bad' : 'calm'}>{TEST_STATES[state]}</Badge>
      </div>
      <div class="test-strength">
        <Meter value={strength} color={color} tone={state === 'crossed' ? 'bad' : undefined} />
        <span title="How many to one the odds are against the canary, of how many are needed">
          {eValue(logE)}
          {needed}
        </span>
      </div>
      <p class="muted">{sentence(message)}</p>
    </li>
  );
}

function Budget({ evidence: { budget } }: { readonly evidence: EvidenceReading }): JSX.Element | null {
  if (budget === null) return null;
  return (
    <span class={budget.spent ? 'text-bad' : 'muted'}>
      failure budget: {number(budget.used)} of {number(budget.max)} used{budget.spent ? ', spent' : ''}
    </span>
  );
}

/**
 * How a rollout stands, as a title and one sentence: what somebody must know who has ten seconds.
 *
 *     over, or on its way back ─▶ the outcome          somebody or something holds it ─▶ who, and until when
 *     nothing holds it ─▶ what the step still needs, or that nothing speaks against the version
 *
 * What is over has the outcome that Sluice wrote down at the decision. Seconds are not told in here, the bar of the step has them: a sentence that changes each
 * second cannot be read out to anybody.
 */
import type { RolloutView } from '../../api/views.ts';
import { percent } from '../../format.ts';
import { sentence } from './words.ts';

export interface Verdict {
  readonly tone: 'good' | 'bad' | 'warn' | 'calm';
  readonly title: string;
  readonly text: string;
}

type Judged = Pick<
  RolloutView,
  | 'phase'
  | 'version'
  | 'stable'
  | 'weight'
  | 'outcome'
  | 'waiting'
  | 'pause'
  | 'needs'
  | 'approvals'
  | 'evidence'
  | 'conditions'
>;

export function verdictOf(rollout: Judged): Verdict {
  const { phase, version, stable, outcome, waiting } = rollout;
  switch (phase) {
    case 'Succeeded':
      return { tone: 'good', title: `${version} is stable`, text: sentence(outcome ?? 'every step has passed') };
    case 'RolledBack':
      return {
        tone: 'bad',
        title: `${version} was taken back`,
        text: sentence(outcome ?? `${stable} has all traffic`),
      };
    case 'RollingBack':
      return {
        tone: 'bad',
        title: `${version} is being taken back`,
        text: sentence(outcome ?? 'traffic is leaving it'),
      };
    case 'Failed':
      return { tone: 'bad', title: 'It did not begin', text: sentence(outcome ?? `no user got ${version}`) };
    case 'Paused':
      return paused(rollout);
    case 'Queued':
      return {
        tone: waiting === null ? 'calm' : 'warn',
        title: 'Waits to begin',
        text: sentence(waiting ?? 'its turn is next'),
      };
    case 'Preflight':
      return {
        ...{ tone: waiting === null ? 'calm' : 'warn', title: 'Checks before any user gets it' },
        text: sentence(waiting ?? `${version} is reached by checks and the override alone; ${stable} has all users`),
      };
    case 'Promoting':
      return {
        ...{ tone: waiting === null ? 'calm' : 'warn', title: `${version} becomes stable` },
        text: sentence(waiting ?? 'every step has passed'),
      };
    case 'Progressing':
      return progressing(rollout);
  }
}

function paused({ pause, version, weight, approvals, waiting }: Judged): Verdict {
  const stands = `${version} stays at ${percent(weight)}`;
  if (pause === null) return { tone: 'warn', title: 'Paused', text: sentence(waiting ?? stands) };
  if (pause.by === 'incident') {
    const text = `${sentence(pause.reason)} ${stands} until somebody resumes the rollout or takes it back.`;
    return { tone: 'bad', title: 'Held: this may not be the canary’s doing', text };
  }
  if (pause.until === 'approval') {
    const missing = approvals.missing === null ? 'it is approved and goes on' : approvals.missing;
    return { tone: 'warn', title: 'Waits for approval', text: `${sentence(missing)} ${stands} meanwhile.` };
  }
  if (pause.until === 'time')
    return { tone: 'calm', title: 'A pause of the strategy', text: `${stands}; it goes on by itself.` };
  const why = pause.reason === '' ? '' : `${sentence(pause.reason)} `;
  return { tone: 'warn', title: 'Paused', text: `${why}${stands} until somebody resumes the rollout.` };
}

function progressing({ version, waiting, needs, evidence, conditions }: Judged): Verdict {
  const failing = conditions.filter(({ status }) => status === 'fail').map(({ message }) => sentence(message));
  if (waiting !== null) {
    const more = failing.filter((message) => message !== sentence(waiting));
    return { tone: 'warn', title: 'Held at this step', text: [sentence(waiting), ...more].join(' ') };
  }
  if (failing.length > 0) return { tone: 'warn', title: 'A condition fails', text: failing.join(' ') };
  if (needs !== null) return { tone: 'calm', title: 'Needs more traffic', text: sentence(needs.message) };
  const watched = evidence.tests.some(({ state }) => state === 'watching');
  const text = watched
    ? `Nothing speaks against ${version} so far.`
    : `Nothing is compared now; the step goes on with its time.`;
  return { tone: 'calm', title: 'On its way', text };
}

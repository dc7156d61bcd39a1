/**
 * States as words in a coloured box. The word says it; the colour only says it faster.
 */
import type { JSX } from 'preact';
import type { ConditionResult, EventLevel, Lane, Phase } from '../api/views.ts';

type Tone = 'bad' | 'warn' | 'good' | 'busy' | 'calm';

const PHASE_TONES: Readonly<Record<Phase, Tone>> = {
  Queued: 'calm',
  Preflight: 'busy',
  Progressing: 'busy',
  Paused: 'warn',
  Promoting: 'busy',
  Succeeded: 'good',
  RollingBack: 'bad',
  RolledBack: 'bad',
  Failed: 'bad',
};

const PHASE_WORDS: Partial<Record<Phase, string>> = { RollingBack: 'Rolling back', RolledBack: 'Rolled back' };

export interface BadgeProps {
  readonly tone: Tone;
  readonly children: string;
}

export const Badge = ({ tone, children }: BadgeProps): JSX.Element => (
  <span class={`badge badge-${tone}`}>{children}</span>
);

export const PhaseBadge = ({ phase }: { readonly phase: Phase }): JSX.Element => (
  <Badge tone={PHASE_TONES[phase] ?? 'calm'}>{PHASE_WORDS[phase] ?? phase}</Badge>
);

const CONDITION_TONES: Readonly<Record<ConditionResult['status'], Tone>> = {
  ...{ pass: 'good', fail: 'bad', inconclusive: 'calm', error: 'warn' },
};

export const StatusBadge = ({ status }: { readonly status: ConditionResult['status'] }): JSX.Element => (
  <Badge tone={CONDITION_TONES[status] ?? 'calm'}>{status}</Badge>
);

const LEVEL_TONES: Readonly<Record<EventLevel, Tone>> = { info: 'calm', warning: 'warn', critical: 'bad' };

export const LevelBadge = ({ level }: { readonly level: EventLevel }): JSX.Element => (
  <Badge tone={LEVEL_TONES[level] ?? 'calm'}>{level}</Badge>
);

/** The version's name with the colour of its lane. */
export const VersionMark = ({ name, lane }: { readonly name: string; readonly lane: Lane | null }): JSX.Element => (
  <span class={`version-mark lane-${lane ?? 'none'}`}>
    <i aria-hidden="true" />
    <b>{name}</b>
    {lane !== null && <span class="lane-word">{lane}</span>}
  </span>
);

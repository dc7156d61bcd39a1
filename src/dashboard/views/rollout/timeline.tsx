/**
 * What happened to a rollout, newest first. The word is the kind of the entry; bad news has another colour and is said so by the message.
 */
import type { JSX } from 'preact';
import type { TimelineEntry } from '../../api/views.ts';
import { clock, date } from '../../format.ts';
import { sentence } from './words.ts';

const TONES: Readonly<Record<string, string>> = {
  'rolling-back': 'bad',
  'rolled-back': 'bad',
  failed: 'bad',
  decision: 'bad',
  incident: 'bad',
  paused: 'warn',
  warning: 'warn',
  waiting: 'warn',
  held: 'warn',
  restart: 'warn',
  succeeded: 'good',
  promoted: 'good',
  approval: 'good',
  approved: 'good',
};

/** Kinds whose name says nothing to somebody who looks. */
const WORDS: Readonly<Record<string, string>> = { verb: 'by hand' };

export const kindWords = (kind: string): string => WORDS[kind] ?? kind.replaceAll('-', ' ');

export const Timeline = ({ entries }: { readonly entries: readonly TimelineEntry[] }): JSX.Element => (
  <ol class="timeline">
    {entries.toReversed().map(({ at, kind, message }, index) => (
      <li key={`${entries.length - index} ${at}`} class={`timeline-${TONES[kind] ?? 'none'}`}>
        <time dateTime={at} title={date(at)}>
          {clock(at)}
        </time>
        <span>
          {sentence(message)} <span class="timeline-kind">{kindWords(kind)}</span>
        </span>
      </li>
    ))}
  </ol>
);

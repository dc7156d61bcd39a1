/**
 * The flags of a line in the access log: what was out of the ordinary about a request, in the words of Envoy's log where it has them.
 *
 * The first flag is how the request ended, from the registry of local replies; the others tell what was done for it. A request that
 * went as it should has none, so "has a flag" is what picks the lines that are worth keeping when most are not. An upstream's own error status
 * is no flag: it stands in the status.
 *
 * @hotpath bench/micro/access-log.ts
 */
import { LOCAL_REPLIES, type ResponseFlag } from '../../model/local-reply.ts';
import type { RequestEnd } from './counters.ts';

/** Flags that no local reply has. */
export const REQUEST_FLAGS = {
  /** A failed attempt on another version was answered by stable. */
  SH: 'shielded: stable answered in place of another version',
  /** More than one attempt on the version, and the last was good. */
  RT: 'retried, hedged or sent again, and answered',
  /** The same, and the last failed too. */
  URX: 'retried, hedged or sent again, and failed all the same',
} as const;

export type LogFlag = ResponseFlag | keyof typeof REQUEST_FLAGS;

/** How a request ended, as a flag; empty where it ended with an answer. */
function endFlag(cause: RequestEnd): ResponseFlag | '' {
  switch (cause) {
    case 'done':
    // A cut is given the reason for it; without one there is nothing to say.
    case 'cut':
      return '';
    case 'aborted':
      return 'DC';
    case 'fault':
      return 'FI';
    default:
      return LOCAL_REPLIES[cause].flag;
  }
}

/**
 * All flags of a request, with commas between them.
 *
 * @param cause how it ended, for an answer that was cut why. @param attempts of all versions.
 */
export function logFlags(cause: RequestEnd, status: number, shielded: boolean, attempts: number): string {
  let flags: string = endFlag(cause);
  if (shielded) flags = flags === '' ? 'SH' : `${flags},SH`;
  if (attempts <= (shielded ? 2 : 1)) return flags;
  const repeated: LogFlag = status >= 500 ? 'URX' : 'RT';
  return flags === '' ? repeated : `${flags},${repeated}`;
}

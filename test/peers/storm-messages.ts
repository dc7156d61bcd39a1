/** What the two ends of a storm know of each other. */
import { seededBytes } from './origin.ts';

/** Bytes of a download that are sent at once, twenty times a second. */
export const PIECE = 2_000;
const PIECES_PER_SECOND = 20;

/** What `/download?ms=` answers with. */
export const downloadBytes = (ms: number): Buffer =>
  seededBytes(Math.max(1, Math.round((ms / 1_000) * PIECES_PER_SECOND)) * PIECE, ms);

export interface UpstreamCounts {
  /** By the name of the upstream, so far: connections accepted, and requests begun, WebSockets left out. */
  readonly accepted: Readonly<Record<string, number>>;
  readonly begun: Readonly<Record<string, number>>;
}

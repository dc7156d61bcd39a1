/**
 * What the calls that change something have in common: how they may end, and the fields that they look at.
 */
import type { ProblemCode } from '../../problems.ts';

export const CHANGE_PROBLEMS: readonly ProblemCode[] = [
  'not_found',
  'conflict',
  'draining',
  'not_acknowledged',
  'store_unavailable',
  'store_full',
];

export const IF_MATCH = {
  'if-match':
    'Entity tag of the lanes and weights that the change was decided on; it is refused where they are others now.',
};

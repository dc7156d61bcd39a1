/**
 * The methods for which something may be done twice, as a set to ask.
 *
 * RFC 9110 9.2: a safe method asks for nothing to be changed; an idempotent one may be sent twice with the effect of once. Methods are
 * compared as written, since they are case-sensitive, and one that nobody has heard of is neither safe nor idempotent.
 *
 * @hotpath bench/micro/admit.ts
 */
import type { MethodSet } from '../../model/policy-config.ts';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
const SAFE: ReadonlySet<string> = new Set(SAFE_METHODS);
export const IDEMPOTENT: ReadonlySet<string> = new Set(SAFE_METHODS.concat('PUT', 'DELETE'));

/** @returns null where every method is meant. */
export function methodSet(methods: MethodSet): ReadonlySet<string> | null {
  switch (methods) {
    case 'safe':
      return SAFE;
    case 'idempotent':
      return IDEMPOTENT;
    case 'all':
      return null;
    default:
      return new Set(methods);
  }
}

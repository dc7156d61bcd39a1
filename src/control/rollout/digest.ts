/**
 * The digest of a rollout: one number for what is to be done, so that an approval of one thing cannot be used for another.
 *
 *     SHA-256, hexadecimal, over canonical JSON of { createdAt, endpoints, id, service, stable, startedBy, strategy, version }
 *
 * Canonical JSON is JSON with the members of every object sorted by name (UTF-16 code units, as RFC 8785 has it) and nothing between them:
 * equal values are equal texts, whatever order they were built in and however often they went through the store. What is undefined is left
 * out, as JSON does.
 *
 * The strategy is in it as it was resolved, defaults included, and not by name: a file that says something else tomorrow does not
 * change what was approved today. The endpoints are in it because a version is what runs there; their order says nothing, so they are
 * sorted. Weights, phase and everything else that moves while the rollout goes on are not. Id and time make two starts of the same thing
 * two digests: nobody's approval of last week approves today.
 */
import { hash } from 'node:crypto';
import type { Rollout } from './rollout.ts';

export type RolloutSubject = Pick<
  Rollout,
  'id' | 'service' | 'version' | 'stable' | 'strategy' | 'startedBy' | 'createdAt'
> & {
  /** URLs of the version. */
  readonly endpoints: readonly string[];
};

/** @returns 64 hexadecimal digits. */
export function rolloutDigest(subject: RolloutSubject): string {
  // Named one by one: a caller that hands over a whole rollout must not get another digest with every step.
  const { id, service, version, stable, endpoints, strategy, startedBy, createdAt } = subject;
  const { name, role } = startedBy;
  const sorted = [...endpoints].sort();
  const whole = { id, service, version, stable, endpoints: sorted, strategy, startedBy: { name, role }, createdAt };
  return sha256(canonicalJson(whole));
}

/** Hexadecimal, of the text in UTF-8. */
export const sha256 = (text: string): string => hash('sha256', text);

/** @param value plain JSON. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

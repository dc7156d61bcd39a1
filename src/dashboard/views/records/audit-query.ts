/**
 * The audit as it is asked for: the newest rows with the filters that the server knows, and the address of what a row is about.
 */
import { linkTo } from '../../router.ts';

export interface AuditFilter {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
}

export const NO_FILTER: AuditFilter = { actor: '', action: '', target: '' };

/** @param rest more of the query. */
export function auditPath(filter: AuditFilter, rest: Readonly<Record<string, string | number | boolean>>): string {
  const given = { ...rest, actor: filter.actor.trim(), action: filter.action.trim(), target: filter.target.trim() };
  const query = Object.entries(given)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return `api/v1/audit?${query.join('&')}`;
}

/** Where the page shows what a row is about; null where it has no view for it. */
export function linkOfTarget(target: string): string | null {
  const [kind, name] = target.split('/');
  if (name === undefined || name === '') return null;
  if (kind === 'services') return linkTo.service(name);
  return kind === 'rollouts' ? linkTo.rollout(name) : null;
}

/**
 * Who may call what: the one table of the admin API's calls and the permission each of them asks for.
 *
 * A call without a row does not compile, and one table is quickly reviewed; permissions spread over the calls would have to be searched
 * for. There are five permissions rather than a list of roles per call, because a call's author knows whether it reads or shifts traffic
 * and should not have to know which roles there are. `open` answers anyone who passes the checks of Host and Origin.
 */
import type { Role } from '../../model/admin-config.ts';

export type Permission = 'open' | 'scrape' | 'read' | 'operate' | 'administer';

/** Roles that have a permission. `open` needs none; `scrape` needs none either where the configuration makes /metrics public. */
export const ROLES_WITH: Readonly<Record<Exclude<Permission, 'open'>, readonly Role[]>> = {
  scrape: ['viewer', 'operator', 'approver', 'admin'],
  read: ['viewer', 'operator', 'approver', 'admin'],
  operate: ['operator', 'admin'],
  administer: ['admin'],
};

/** By operation id. */
export const PERMISSIONS = {
  getIndex: 'open',
  getHealth: 'open',
  getReadiness: 'open',
  getOpenApi: 'open',
  getProblems: 'open',
  getMetrics: 'scrape',
  getStatus: 'read',
  listServices: 'read',
  getService: 'read',
  getWeights: 'read',
  setWeights: 'operate',
  resetWeights: 'operate',
  setRelativeWeights: 'operate',
  setTrafficWeights: 'operate',
  rollBack: 'operate',
  putVersion: 'operate',
  deleteVersion: 'operate',
  setLanes: 'operate',
  setEndpointState: 'operate',
  pushMetrics: 'operate',
  listFlags: 'read',
  getFlag: 'read',
  setFlag: 'operate',
  resetFlag: 'operate',
  getEvents: 'read',
  getAudit: 'read',
  verifyAudit: 'read',
  getConfig: 'read',
  // It opens the secrets that the text names, so it is more than reading.
  validateConfig: 'operate',
  reloadConfig: 'administer',
  getHistory: 'read',
  drainServer: 'administer',
} as const satisfies Readonly<Record<string, Permission>>;

export type CallId = keyof typeof PERMISSIONS;

export function mayCall(role: Role, id: CallId): boolean {
  const permission = PERMISSIONS[id];
  return permission === 'open' || ROLES_WITH[permission].includes(role);
}

/**
 * Who may call what: the one table of the admin API's calls and the permission each of them asks for.
 *
 * A call without a row does not compile, and one table is quickly reviewed; permissions spread over the calls would have to be searched
 * for. There are six permissions rather than a list of roles per call, because a call's author knows whether it reads or shifts traffic
 * and should not have to know which roles there are. `open` answers anyone who passes the checks of Host and Origin.
 * `approve` lets deliver an approval and does not say that it counts: operators have it so that a pipeline can carry a signature, and the
 * operation refuses one of theirs that is not signed.
 */
import type { Role } from '../../model/admin-config.ts';

export type Permission = 'open' | 'scrape' | 'read' | 'operate' | 'approve' | 'administer';

/** Roles that have a permission. `open` needs none; `scrape` needs none either where the configuration makes /metrics public. */
export const ROLES_WITH: Readonly<Record<Exclude<Permission, 'open'>, readonly Role[]>> = {
  scrape: ['viewer', 'operator', 'approver', 'admin'],
  read: ['viewer', 'operator', 'approver', 'admin'],
  operate: ['operator', 'admin'],
  approve: ['approver', 'operator', 'admin'],
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
  getIdentity: 'read',
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
  startRollout: 'operate',
  assessRollout: 'operate',
  listRollouts: 'read',
  getRollout: 'read',
  getRolloutReport: 'read',
  getRolloutWhy: 'read',
  getRollbackPack: 'read',
  promoteRollout: 'operate',
  pauseRollout: 'operate',
  resumeRollout: 'operate',
  skipRollout: 'operate',
  abortRollout: 'operate',
  rollBackRollout: 'operate',
  retryRollout: 'operate',
  approveRollout: 'approve',
  listStrategies: 'read',
  getStrategy: 'read',
  listNotifications: 'read',
  acknowledgeNotification: 'operate',
  listFlags: 'read',
  getFlag: 'read',
  setFlag: 'operate',
  resetFlag: 'operate',
  getEvents: 'read',
  getLive: 'read',
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

/** What a role may do; `open` and `scrape`, which every role may, are left out. */
export const GRANTS = ['read', 'operate', 'approve', 'administer'] as const satisfies readonly Permission[];
export type Grant = (typeof GRANTS)[number];

/** Who asks, and what pages may offer them. */
export interface Identified {
  readonly name: string;
  readonly role: Role;
  /** No token is configured. */
  readonly open: boolean;
  readonly permissions: readonly Grant[];
}

export const grantsOf = (role: Role): readonly Grant[] => GRANTS.filter((grant) => ROLES_WITH[grant].includes(role));

export function mayCall(role: Role, id: CallId): boolean {
  const permission = PERMISSIONS[id];
  return permission === 'open' || ROLES_WITH[permission].includes(role);
}

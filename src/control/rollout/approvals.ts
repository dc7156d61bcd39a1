/**
 * The two keys of a rollout: which approvals are taken, and whether those that were taken are enough. Pure.
 *
 *     given ── for this rollout, this step, now? ── by whom? ── signed by his key? ──▶ Approval, kept with the rollout
 *     approvals ── valid now, for this step and digest ── distinct principals ≥ required, roles covered, not the starter alone ──▶ satisfied
 *
 * A principal is a name: of an approver in the configuration, who has a key, or, where the configuration names none, of a token. A signature
 * says who approves whoever delivers it, so what a CI job posts counts as the approver's and not as the job's. Once there are approvers,
 * nothing counts without a signature: a stolen token alone releases nothing.
 *
 * Whoever started the rollout may approve it and is counted, but never alone. He is known by his name: name approvers as their tokens. On an
 * API without tokens everybody is `local`, and nobody can be told from the starter; such an approval is kept under a role of its own
 * ({@link OPEN_ROLE}) and counts. That is for trying out, and so docs/approvals.md says.
 *
 * An approval holds from when it was signed, not from when it came, for one step and one digest; so delivering it late or again gains nothing.
 * Where the strategy says nothing one approval is enough. There is always at least one needed: this is not asked where none is.
 *
 * What was taken counts until it expires, also when its approver is taken out of the configuration meanwhile.
 */
import type { ApprovalsConfig, ApproverConfig } from '../../model/rollout-config.ts';
import { nameHint } from '../config/nearest-name.ts';
import type { Actor, GivenApproval } from '../operations.ts';
import { OperationError, type ProblemCode } from '../problems.ts';
import { approvalPayload, keyFingerprint, signatureBytes, verifySignature } from './approval-payload.ts';
import { type Approval, isOver, type Rollout } from './rollout.ts';

/** Of the start. */
export const START = -1;
/** Role of an approval on an API without tokens. */
export const OPEN_ROLE = 'open';
/** How long an approval holds where the strategy does not say, milliseconds. */
export const USUAL_EXPIRY = 3_600_000;
/** How far the clock of an approver may be ahead, milliseconds. */
const CLOCK_SKEW = 60_000;

const APPROVING_ROLES: readonly string[] = ['approver', 'admin'];

export interface ApprovalRequest {
  readonly rollout: Rollout;
  readonly approvers: readonly ApproverConfig[];
  readonly given: GivenApproval;
  /** Who delivers it. */
  readonly actor: Actor;
  readonly now: number;
  /** That the rollout is at, −1 while it is queued. */
  readonly step: number;
  /** Whether the API has no tokens. */
  readonly open: boolean;
}

/** @throws OperationError forbidden, conflict, invalid_request */
export function acceptApproval(request: ApprovalRequest): Approval {
  const { rollout, approvers, now, step } = request;
  refuseNothingToApprove(rollout, step);
  const approval = approvers.length === 0 ? unsigned(request) : signed(request);
  const earlier = rollout.approvals.filter((each) => counts(each, step, rollout.digest, now));
  if (earlier.some(({ approver }) => approver === approval.approver)) {
    throw new OperationError('conflict', `${approval.approver} has approved ${nameOf(rollout, step)} already`);
  }
  const twin = keyTwin(approval.approver, earlier, approvers);
  if (twin !== null) {
    const message = `${approval.approver} has the same key as ${twin}, who has approved already; two approvers need two keys`;
    throw new OperationError('conflict', message);
  }
  return approval;
}

/** Whether approvals are what it needs now: before the start because of its risk, later because of the present step. */
export function asksForApproval({ phase, strategy, step, risk, pause }: Rollout): boolean {
  if (isOver(phase) || phase === 'RollingBack' || phase === 'Promoting') return false;
  const { approveAboveRisk, steps } = strategy;
  if (phase === 'Queued') return approveAboveRisk !== null && risk.score >= approveAboveRisk;
  const present = steps[step];
  return pause?.until === 'approval' || (present?.kind === 'pause' && present.until === 'approval');
}

function refuseNothingToApprove(rollout: Rollout, step: number): void {
  const { phase, id } = rollout;
  const refuse = (message: string): never => {
    throw new OperationError('conflict', message);
  };
  if (isOver(phase)) refuse(`${id} is over (${phase}); there is nothing left to approve`);
  const present = phase === 'Queued' ? START : rollout.step;
  if (step !== present) refuse(`${id} is at step ${present}, not at step ${step}; an approval is for one step`);
  if (asksForApproval(rollout)) return;
  refuse(`${id} is ${phase} and waits for no approval now; "sluice rollout get ${id}" says what it waits for`);
}

/** By the token alone. */
function unsigned({ rollout, given, actor, now, step, open }: ApprovalRequest): Approval {
  if (rollout.isSigned === true) {
    const message = `${rollout.id} was started when the configuration named approvers, and it names none now; without a key nobody can approve it: put them back, or abort it`;
    throw new OperationError('forbidden', message);
  }
  if (given.signature !== undefined) {
    const message =
      'the configuration names no approvers, so there is no key to check the signature with; add it to approvers';
    throw fault('forbidden', 'signature', message);
  }
  const approver = actor.name;
  if (given.approver !== undefined && given.approver !== approver) {
    const message = `without a signature an approval is that of the token, ${approver}; leave approver out, or name ${given.approver} with a key in the configuration`;
    throw fault('invalid_request', 'approver', message);
  }
  if (!open && !APPROVING_ROLES.includes(actor.role)) {
    const message = `${approver} has the role ${actor.role}, which may not approve; it takes approver or admin`;
    throw new OperationError('forbidden', message);
  }
  const role = open ? OPEN_ROLE : actor.role;
  return { approver, role, signature: null, at: now, expires: now + expiryOf(rollout), step, digest: rollout.digest };
}

function signed({ rollout, approvers, given, now, step }: ApprovalRequest): Approval {
  const { approver: name, signature, signedAt } = given;
  const how = `sign it with: sluice rollout approve ${rollout.id} --key FILE --as NAME`;
  if (signature === undefined) {
    const message = `the configuration names approvers, so an approval has to be signed by one of them; ${how}`;
    throw fault('invalid_request', 'signature', message);
  }
  if (name === undefined) throw fault('invalid_request', 'approver', 'approver is missing: whose signature it is');
  const approver = approvers.find((each) => each.name === name);
  if (approver === undefined) {
    const names = approvers.map((each) => each.name);
    throw fault('forbidden', 'approver', `there is no approver ${name}; ${nameHint(name, names)}`);
  }
  const at = signingTime(signedAt);
  if (signatureBytes(signature) === null) {
    throw fault('invalid_request', 'signature', 'signature must be 64 bytes in base64, on one line (88 characters)');
  }
  checkSignature(rollout, approver, step, signedAt!, signature);
  if (at > now + CLOCK_SKEW) {
    const message = `signed at ${signedAt}, which is in the future (it is ${iso(now)} here); set the clock of that machine right`;
    throw fault('invalid_request', 'signedAt', message);
  }
  const expires = at + expiryOf(rollout);
  if (expires <= now) {
    throw new OperationError('conflict', `the approval of ${name} expired at ${iso(expires)}; sign it anew`);
  }
  return { approver: name, role: approver.role, signature, at, expires, step, digest: rollout.digest };
}

/** One form only, so that the text that was signed can be made again from the approval that is kept. */
function signingTime(signedAt: string | undefined): number {
  const at = Date.parse(signedAt ?? '');
  if (!Number.isNaN(at) && iso(at) === signedAt) return at;
  const message = `signedAt must be when it was signed, in UTC with milliseconds, such as 2026-03-02T09:30:00.000Z, not ${signedAt ?? 'missing'}`;
  throw fault('invalid_request', 'signedAt', message);
}

function checkSignature(
  rollout: Rollout,
  { name, publicKey }: ApproverConfig,
  step: number,
  signedAt: string,
  signature: string,
): void {
  const { id, digest, strategy } = rollout;
  const isFor = (other: number): boolean =>
    verifySignature(
      publicKey,
      approvalPayload({ rollout: id, digest, approver: name, step: other, signedAt }),
      signature,
    );
  if (isFor(step)) return;
  const meant = [START, ...strategy.steps.keys()].find(isFor);
  if (meant !== undefined) {
    const message = `${name} has signed step ${meant} (${nameOf(rollout, meant)}), but ${id} is at step ${step} (${nameOf(rollout, step)}); each step is signed for itself`;
    throw new OperationError('conflict', message);
  }
  const wanted = `rollout ${id}, digest ${digest}, approver ${name}, step ${step}, signed-at ${signedAt}`;
  const message = `the signature is not one by the key of ${name} over what is to be approved: ${wanted}`;
  throw fault('forbidden', 'signature', message);
}

/** Somebody else who has approved with the very same key. */
function keyTwin(name: string, earlier: readonly Approval[], approvers: readonly ApproverConfig[]): string | null {
  const keyOf = (approver: string): string | null => {
    const found = approvers.find((each) => each.name === approver);
    return found === undefined ? null : keyFingerprint(found.publicKey);
  };
  const key = keyOf(name);
  const twin = key === null ? undefined : earlier.find(({ approver }) => keyOf(approver) === key);
  return twin?.approver ?? null;
}

export interface ApprovalState {
  readonly satisfied: boolean;
  readonly required: number;
  /** Valid now, for this step; one per principal. */
  readonly given: readonly Approval[];
  /** One sentence; null where it is satisfied. */
  readonly missing: string | null;
}

export interface ApprovalQuestion {
  /** Null: one approval. */
  readonly config: ApprovalsConfig | null;
  readonly approvals: readonly Approval[];
  readonly step: number;
  readonly startedBy: Rollout['startedBy'];
  readonly now: number;
  /** Of the rollout as it is; left out, approvals of any digest count. */
  readonly digest?: string;
}

export function approvalState({ config, approvals, step, startedBy, now, digest }: ApprovalQuestion): ApprovalState {
  const valid = approvals.filter((each) => counts(each, step, digest, now));
  const given = valid.filter(({ approver }, index) => valid.findIndex((each) => each.approver === approver) === index);
  const required = Math.max(1, config?.required ?? 1);
  const uncovered = uncoveredRoles(config?.roles ?? [], given);
  const isStarterAlone = given.length > 0 && given.every((each) => isBy(startedBy.name, each));
  const lacking = Math.max(required - given.length, uncovered.length, isStarterAlone ? 1 : 0);
  if (lacking === 0) return { satisfied: true, required, given, missing: null };

  const from =
    uncovered.length === 0 ? '' : `, ${uncovered.length < lacking ? 'among them' : 'from'} ${listed(uncovered)}`;
  const other = isStarterAlone ? `, from somebody other than ${startedBy.name}, who started it` : '';
  const past = approvals.filter(
    (each) =>
      isFor(each, step, digest) && each.expires <= now && !given.some(({ approver }) => approver === each.approver),
  );
  const expired = past.map(({ approver, expires }) => `that of ${approver} expired at ${iso(expires)}`);
  const note = expired.length === 0 ? '' : ` (${[...new Set(expired)].join(', ')})`;
  const missing = `it needs ${lacking} more approval${lacking === 1 ? '' : 's'}${from}${other}${note}`;
  return { satisfied: false, required, given, missing };
}

/** Roles that nobody is left for, when everybody fills one. */
function uncoveredRoles(roles: readonly string[], given: readonly Approval[]): string[] {
  const free = given.map(({ role }) => role);
  return roles.filter((role) => {
    const at = free.indexOf(role);
    if (at >= 0) free.splice(at, 1);
    return at < 0;
  });
}

const isFor = (approval: Approval, step: number, digest: string | undefined): boolean =>
  approval.step === step && (digest === undefined || approval.digest === digest);

const counts = (approval: Approval, step: number, digest: string | undefined, now: number): boolean =>
  isFor(approval, step, digest) && approval.expires > now;

const isBy = (starter: string, { approver, role }: Approval): boolean => approver === starter && role !== OPEN_ROLE;

/** What the audit keeps of an approval: everything that somebody needs to verify it without Sluice (docs/approvals.md). */
export interface ApprovalEvidence {
  readonly approver: string;
  readonly role: string;
  readonly step: number;
  readonly digest: string;
  readonly signedAt: string;
  readonly expires: string;
  /** Null: it was made with a token alone. */
  readonly signature: string | null;
  /** The text that was signed, and SHA-256 of the public key in DER form. */
  readonly payload: string | null;
  readonly key: string | null;
  /** Whether the signature is one of that key over that text, looked at again now. */
  readonly verified: boolean;
}

export function approvalEvidence(
  rollout: string,
  { approver, role, step, digest, at, expires, signature }: Approval,
  approvers: readonly ApproverConfig[],
): ApprovalEvidence {
  const signedAt = iso(at);
  const publicKey = approvers.find(({ name }) => name === approver)?.publicKey ?? null;
  const payload = signature === null ? null : approvalPayload({ rollout, digest, approver, step, signedAt });
  const key = payload === null || publicKey === null ? null : keyFingerprint(publicKey);
  const verified = key !== null && verifySignature(publicKey!, payload!, signature!);
  return { approver, role, step, digest, signedAt, expires: iso(expires), signature, payload, key, verified };
}

const expiryOf = ({ strategy }: Rollout): number => strategy.approvals?.expires ?? USUAL_EXPIRY;

const iso = (at: number): string => new Date(at).toISOString();

const nameOf = ({ strategy }: Rollout, step: number): string =>
  step === START ? 'the start' : (strategy.steps[step]?.name ?? `step ${step}`);

/** `an agent and a human` */
const listed = (roles: readonly string[]): string =>
  roles.map((role) => `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role}`).join(' and ');

const fault = (code: ProblemCode, field: string, message: string): OperationError =>
  new OperationError(code, message, [{ field: `/${field}`, message }]);

/**
 * Who is calling, and may they: from the Authorization field to an identity, or a refusal.
 *
 *     no token configured ─▶ local
 *     no token presented ─▶ 401          (not counted: nothing was guessed)
 *     address or token closed ─▶ 429     (unless this token was right from this address before)
 *     wrong token ─▶ 401, counted
 *     right token, wrong role ─▶ 403
 *
 * The exception of the third line keeps a guesser behind the same address (a proxy, a jump host, another program on this machine) from locking
 * the operator out in the middle of an incident: a token that has been right from an address goes on being looked at. A token that was never
 * seen from there waits like a guess, because nothing tells it from one. The pairs are remembered in memory, the last 1,000 of them; they
 * open the way to the comparison, never past it, so a token that is revoked is refused whatever is remembered.
 */
import { LRUCache } from 'lru-cache';
import type { TokenConfig } from '../../model/admin-config.ts';
import type { Clock } from '../../runtime/clock.ts';
import { OperationError } from '../problems.ts';
import { addressKey } from './client-address.ts';
import { FailureLimit } from './failure-limit.ts';
import { type CallId, mayCall, PERMISSIONS, ROLES_WITH } from './permissions.ts';
import { bearerToken, digestOf, type Identity, LOCAL, TokenBook } from './token-book.ts';

/** A burst of wrong tokens from one address, or of one wrong token. */
export interface Denial {
  /** Of the last one. */
  readonly address: string;
  /** After which tokens are not looked at any more. */
  readonly failures: number;
}

export interface GateOptions {
  readonly tokens: readonly TokenConfig[];
  readonly publicMetrics: boolean;
  readonly clock: Clock;
  readonly onDenied: (denial: Denial) => void;
}

const REMEMBERED_PAIRS = 1_000;
/** Per minute. */
const FAILURES = 10;

export class Gate {
  readonly #limit: FailureLimit;
  readonly #seen = new LRUCache<string, true>({ max: REMEMBERED_PAIRS });
  #book: TokenBook;
  #publicMetrics: boolean;
  readonly #onDenied: (denial: Denial) => void;

  constructor(options: GateOptions) {
    this.#book = new TokenBook(options.tokens);
    this.#publicMetrics = options.publicMetrics;
    this.#limit = new FailureLimit({ clock: options.clock, limit: FAILURES });
    this.#onDenied = options.onDenied;
  }

  /** Whether no token is configured, so that everyone is an administrator. */
  get isOpen(): boolean {
    return this.#book.isOpen;
  }

  /** Other tokens from now on. Failures so far are forgotten: a token that was wrong may be right now. */
  reconfigure(tokens: readonly TokenConfig[], publicMetrics: boolean): void {
    this.#book = new TokenBook(tokens);
    this.#publicMetrics = publicMetrics;
    this.#limit.clear();
  }

  /** @throws OperationError unauthenticated, forbidden, too_many_failures */
  admit(id: CallId, authorization: string | undefined, address: string): Identity {
    const permission = PERMISSIONS[id];
    if (this.#book.isOpen) return LOCAL;
    if (permission === 'open' || (permission === 'scrape' && this.#publicMetrics)) {
      return { name: 'anonymous', role: 'viewer' };
    }
    const identity = this.#identify(authorization, address);
    if (mayCall(identity.role, id)) return identity;
    const roles = ROLES_WITH[permission].join(' or ');
    throw new OperationError(
      'forbidden',
      `Token ${identity.name} has the role ${identity.role}; this call needs ${roles}.`,
    );
  }

  /** Whether what was presented would still be let in as the same identity. */
  stillHolds(authorization: string | undefined, identity: Identity): boolean {
    if (this.#book.isOpen) return true;
    const token = bearerToken(authorization);
    const now = token === null ? null : this.#book.find(digestOf(token));
    return now !== null && now.name === identity.name && now.role === identity.role;
  }

  #identify(authorization: string | undefined, address: string): Identity {
    const token = bearerToken(authorization);
    if (token === null) {
      throw new OperationError('unauthenticated', 'Send the token as "Authorization: Bearer TOKEN".');
    }
    const digest = digestOf(token);
    const from = `address ${addressKey(address)}`;
    const what = `token ${digest.toString('base64')}`;
    const pair = `${from} ${what}`;
    if (!this.#seen.has(pair)) this.#refuseClosed(from, what);
    const identity = this.#book.find(digest);
    if (identity !== null) {
      this.#seen.set(pair, true);
      return identity;
    }
    const bursts = [this.#limit.failed(from), this.#limit.failed(what)];
    if (bursts.includes(true)) this.#onDenied({ address, failures: FAILURES });
    throw new OperationError('unauthenticated', 'This token is not known. Tokens are configured under admin.tokens.');
  }

  #refuseClosed(from: string, what: string): void {
    const wait = Math.max(this.#limit.waitFor(from) ?? 0, this.#limit.waitFor(what) ?? 0);
    if (wait === 0) return;
    throw new OperationError(
      'too_many_failures',
      `There were too many wrong tokens; tokens that were not used from here before are looked at again in ${wait} s.`,
      [],
      wait,
    );
  }
}

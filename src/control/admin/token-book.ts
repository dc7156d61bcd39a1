/**
 * The tokens that are valid now, looked up without telling by the time it takes how near a guess was.
 *
 * Tokens are compared as SHA-256 digests, which have one length whatever was presented, by `timingSafeEqual`, with every token of the
 * book and without leaving early: neither a common beginning nor the place in the list shows. A guess of a digest's beginning is no
 * help, because nobody can choose what a digest begins with. With no tokens at all everyone is `local`, an administrator; the
 * configuration admits that on a loopback address only.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Role, TokenConfig } from '../../model/admin-config.ts';

export interface Identity {
  readonly name: string;
  readonly role: Role;
}

export const LOCAL: Identity = { name: 'local', role: 'admin' };

export const digestOf = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest();

interface Page extends Identity {
  readonly digest: Buffer;
}

export class TokenBook {
  readonly #pages: readonly Page[];

  constructor(tokens: readonly TokenConfig[]) {
    this.#pages = tokens.map(({ name, role, secret }) => ({ name, role, digest: digestOf(secret.reveal()) }));
  }

  /** Whether no token is needed. */
  get isOpen(): boolean {
    return this.#pages.length === 0;
  }

  /** Whose token it is, null where it is nobody's. */
  find(digest: Buffer): Identity | null {
    let found: Page | null = null;
    for (const page of this.#pages) {
      const same = timingSafeEqual(page.digest, digest);
      found = same ? page : found;
    }
    return found === null ? null : { name: found.name, role: found.role };
  }
}

/** The token of an Authorization field, null where there is none or it is of another scheme. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]{1,4096}) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

/**
 * Who looks at the page: the token, and what it may do.
 *
 * The token lives in this tab's memory, and in its session storage where the user asked for that: closing the tab forgets it. It is never in an address, a
 * cookie or local storage, so nothing that another tab, a log or a history keeps has it.
 */
import type { Identity, Permission } from '../api/views.ts';
import { createStore } from './store.ts';

const KEY = 'sluice.token';

export interface Session {
  readonly token: string | null;
  /** Null until the server has said who this is. */
  readonly identity: Identity | null;
  /** Whether the server wants a token, or another one. */
  readonly wanted: boolean;
  /** Why the last token was refused, null where it was not. */
  readonly refused: string | null;
}

export const session = createStore<Session>({ token: stored(), identity: null, wanted: false, refused: null });

/** @param keep until the tab closes, reloads of the page included. */
export function useToken(token: string, keep: boolean): void {
  try {
    if (keep) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
  } catch {
    // A browser that stores nothing still has its memory.
  }
  session.set({ token, identity: null, wanted: false, refused: null });
}

export function forgetToken(refused: string | null): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was stored then.
  }
  session.set({ token: null, identity: null, wanted: true, refused });
}

export const identified = (identity: Identity): void => session.set({ ...session.get(), identity, wanted: false });

export const mayDo = ({ identity }: Session, permission: Permission): boolean =>
  identity?.permissions.includes(permission) ?? false;

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/**
 * The cookie that Sluice gives to clients, so that their requests can be told to belong together.
 *
 * Its value is a random number of 128 bits and means nothing by itself: it names neither version nor endpoint, so nobody can pick one by
 * editing it, and a restart or another machine makes of it what the weights make of it. A value that a client brings is used as it is, since a
 * client that makes up its session only chooses whom it is.
 *
 * HttpOnly keeps it from scripts and SameSite=Lax from requests that other sites cause; Secure is added under TLS. Max-Age is the
 * session's time to live, which counts from the last request. A browser counts from the last time it got the cookie, so the cookie is
 * sent again when half of that time is over: once per half time to live and worker, not with every response, because a response with
 * Set-Cookie is one that caches leave alone.
 *
 * @hotpath bench/micro/split.ts
 */
const ID_LENGTH = 32;

export class SessionCookie {
  readonly #name: string;
  readonly #attributes: string;
  readonly #renewAfter: number;

  /** @param name of the cookie. @param ttl of the session, milliseconds. */
  constructor(name: string, ttl: number) {
    this.#name = name;
    this.#attributes = `; Path=/; Max-Age=${Math.ceil(ttl / 1000)}; HttpOnly; SameSite=Lax`;
    this.#renewAfter = ttl / 2;
  }

  /** Whether a cookie last sent at `cookieAt` ({@link Session.cookieAt}) should be sent again at `now`, both in clock milliseconds. */
  isDue(cookieAt: number, now: number): boolean {
    return now - cookieAt >= this.#renewAfter;
  }

  /** The complete `Set-Cookie` field line. */
  issue(id: string, secure: boolean): string {
    return `Set-Cookie: ${this.#name}=${id}${this.#attributes}${secure ? '; Secure' : ''}\r\n`;
  }
}

/** A new session id, 32 hexadecimal digits that nobody can guess, out of an identity of a request. */
export const sessionId = (identity: string): string => identity.slice(0, ID_LENGTH);

/**
 * What the access log says about one request: what its head told, kept from the beginning, and what became of it.
 *
 * The head's texts are slices of it and keep all of it in memory for as long as the request runs, as the request line that goes upstream does
 * anyway. Entries are used again (access-log.ts), so a request that is logged allocates none, and one that ends lets go of its head: a
 * connection that waits for its next request must not hold on to the last.
 *
 * @hotpath bench/micro/access-log.ts
 */
import type { ReplyCode } from '../../model/local-reply.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { Route } from '../route/route.ts';
import type { Version } from '../route/version.ts';
import type { RequestEnd } from './counters.ts';
import { logFlags } from './log-flags.ts';

/** What was done to have the request answered; read before it is forgotten. */
export interface Forwarding {
  readonly request: { readonly bytes: number; readonly attempts: number };
  /** Null where none was chosen. */
  readonly version: Version | null;
  readonly shieldedFrom: Version | null;
  /** The last one. */
  readonly attempt: { readonly endpoint: { readonly url: string }; readonly latency: number };
}

/** Stands for a time that was never measured. */
export const NOT_MEASURED = -1;

/** Empty texts are what the request does not have. */
export class LogEntry {
  /** Whether it is logged however it ends. */
  sampled = false;
  id = '';
  client = '';
  method = '';
  target = '';
  host = '';
  /** `HTTP/1.0` or `HTTP/1.1`. */
  protocol = '';
  userAgent = '';
  referer = '';
  status = 0;
  flags = '';
  bytesIn = 0;
  bytesOut = 0;
  /** Milliseconds. */
  duration = 0;
  /** Milliseconds to the response head, NOT_MEASURED where none came. */
  upstream = NOT_MEASURED;
  route = '';
  service = '';
  version = '';
  lane = '';
  endpoint = '';
  attempts = 0;
  shieldedFrom = '';

  /** @param userAgentId @param refererId numbers of these fields. */
  begin(head: RequestHead, client: string, id: string, userAgentId: number, refererId: number): void {
    this.id = id;
    this.client = client;
    this.method = head.method;
    this.target = head.target;
    this.host = head.authority;
    this.protocol = head.minor === 0 ? 'HTTP/1.0' : 'HTTP/1.1';
    this.userAgent = head.value(userAgentId);
    this.referer = head.value(refererId);
  }

  /** Of a head that was refused nothing is known. */
  refused(client: string, code: ReplyCode, status: number, bytesOut: number): void {
    this.client = client;
    this.status = status;
    this.flags = logFlags(code, status, false, 0);
    this.bytesOut = bytesOut;
  }

  /** @param cause how it ended, for an answer that was cut why. @param duration milliseconds. @param route null where none matched. */
  end(
    cause: RequestEnd,
    status: number,
    duration: number,
    bytesOut: number,
    route: Route | null,
    done: Forwarding,
  ): void {
    const { version, request, shieldedFrom } = done;
    this.status = status;
    this.duration = duration;
    this.bytesOut = this.method === 'HEAD' ? 0 : bytesOut;
    if (route !== null) this.route = route.name;
    if (version === null) {
      this.flags = logFlags(cause, status, false, 0);
      return;
    }
    this.flags = logFlags(cause, status, shieldedFrom !== null, request.attempts);
    this.bytesIn = request.bytes;
    this.service = route!.service!.name;
    this.version = version.name;
    this.lane = version.lane ?? '';
    if (shieldedFrom !== null) this.shieldedFrom = shieldedFrom.name;
    this.attempts = request.attempts;
    if (request.attempts === 0) return;
    this.endpoint = done.attempt.endpoint.url;
    this.upstream = done.attempt.latency;
  }

  /** Whether it stands out, by an error or a flag. */
  get isRemarkable(): boolean {
    return this.status >= 500 || this.flags !== '';
  }

  clear(): void {
    this.id = '';
    this.client = '';
    this.method = '';
    this.target = '';
    this.host = '';
    this.protocol = '';
    this.userAgent = '';
    this.referer = '';
    this.bytesIn = 0;
    this.duration = 0;
    this.upstream = NOT_MEASURED;
    this.route = '';
    this.service = '';
    this.version = '';
    this.lane = '';
    this.endpoint = '';
    this.attempts = 0;
    this.shieldedFrom = '';
  }
}

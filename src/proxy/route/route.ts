/**
 * A route as a worker runs it: everything that its configuration says about a request, compiled once per snapshot.
 */
import type { RouteConfig } from '../../model/route-config.ts';
import type { FaultInjector } from '../admit/fault.ts';
import type { RateGate } from '../admit/rate-gate.ts';
import type { LocalAnswer } from '../codec.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { fixedAnswer, redirectAnswer } from './direct-reply.ts';
import type { HeaderEditor } from './header-edits.ts';
import { compileRewrite, type PathRewrite } from './rewrite.ts';
import type { Service } from './service.ts';
import type { Version } from './version.ts';

export interface RouteParts {
  /** Null for redirects and fixed replies. */
  readonly service: Service | null;
  /** The version that every request of the route goes to, or null. */
  readonly version: Version | null;
  readonly rate: RateGate | null;
  readonly fault: FaultInjector | null;
  /** Null where nothing is edited. */
  readonly requestEdits: HeaderEditor | null;
  readonly responseEdits: HeaderEditor | null;
}

export class Route {
  readonly name: string;
  readonly service: Service | null;
  readonly version: Version | null;
  readonly rate: RateGate | null;
  readonly fault: FaultInjector | null;
  readonly requestEdits: HeaderEditor | null;
  readonly responseEdits: HeaderEditor | null;
  readonly rewrite: PathRewrite | null;
  /** Host field for the upstream, or nothing. */
  readonly host: string;
  readonly #config: RouteConfig;
  readonly #fixed: LocalAnswer | null;

  constructor(config: RouteConfig, parts: RouteParts) {
    this.name = config.name;
    this.service = parts.service;
    this.version = parts.version;
    this.rate = parts.rate;
    this.fault = parts.fault;
    this.requestEdits = parts.requestEdits;
    this.responseEdits = parts.responseEdits;
    this.rewrite = compileRewrite(config);
    this.host = config.rewrite?.host ?? '';
    this.#config = config;
    this.#fixed = config.reply === undefined ? null : fixedAnswer(config.reply, config.responseHeaders);
  }

  /** The answer of a route without a service. @param scheme of the client's connection. */
  answer(head: RequestHead, scheme: string): LocalAnswer {
    if (this.#fixed !== null) return this.#fixed;
    // The configuration has proved that a route has a service, a reply or a redirect.
    return redirectAnswer(this.#config.redirect!, this.rewrite, head, scheme, this.#config.responseHeaders);
  }
}

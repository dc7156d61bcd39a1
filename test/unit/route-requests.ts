/** Requests as the parser gives them to the route table, and routes with everything left out that does not matter. */
import type { LimitsConfig } from '../../src/model/config.ts';
import type { RouteConfig, RouteMatch } from '../../src/model/route-config.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { editedHeaders, routeHeaders } from '../../src/proxy/route/route-table.ts';

const LIMITS: LimitsConfig = {
  headSize: 65_536,
  headerCount: 100,
  targetLength: 32_768,
  bodySize: 0,
  connections: 0,
  connectionsPerAddress: 0,
};

/** The names that a worker would number for these routes. */
export const namesFor = (routes: readonly RouteConfig[]): FieldNames =>
  new FieldNames(routeHeaders(routes).concat(editedHeaders(routes)));

/** A parser that gives the head of `GET target` and the like; each call overwrites the last head. */
export function requests(names: FieldNames): (line: string, host?: string, ...fields: string[]) => RequestHead {
  const head = new RequestHead(LIMITS, names);
  return (line, host = 'shop.example.com', ...fields) => {
    const hostField = host === '' ? [] : [`Host: ${host}`];
    const version = host === '' ? 'HTTP/1.0' : 'HTTP/1.1';
    const bytes = Buffer.from([`${line} ${version}`, ...hostField, ...fields, '', ''].join('\r\n'), 'utf8');
    if (head.parse(bytes, 0, bytes.length) !== bytes.length) throw new Error(`${line}: ${head.fault}`);
    return head;
  };
}

const NO_EDITS = { set: [], add: [], remove: [] };

export function routeOf(match: Partial<RouteMatch>, rest: Partial<RouteConfig> = {}): RouteConfig {
  const path = match.path ?? match.pathPrefix ?? match.pathRegex;
  return {
    name: 'route',
    match: {
      ...(path === undefined ? { pathPrefix: '/' } : {}),
      methods: [],
      headers: [],
      query: [],
      flags: [],
      ...match,
    },
    requestHeaders: NO_EDITS,
    responseHeaders: NO_EDITS,
    ...rest,
  };
}

/**
 * Enabling, draining and disabling endpoints, as a change that is kept: a restart or a reload finds an endpoint as its operator left it.
 *
 * A URL may stand in several versions of a service; all of them are meant, because it is one machine that is to be left alone. What acts is
 * the endpoint table, in the same turn for every worker; the end of a draining comes from a timer (health/endpoint-states.ts).
 */
import type { ServiceConfig } from '../../model/config.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { nameHint } from '../config/nearest-name.ts';
import type { EndpointStates } from '../health/endpoint-states.ts';
import type { Actor, ChangeOptions } from '../operations.ts';
import { OperationError } from '../problems.ts';
import {
  type EndpointOverride,
  endpointKey,
  isEndpointKey,
  overriddenServices,
  serviceOverrides,
} from '../state/overrides.ts';
import type { ChangeCore, RunningState } from './change-core.ts';
import { findService } from './find.ts';

/** The last moment that has a date, milliseconds since 1970. */
const LATEST = 8.64e15;

export interface EndpointOperationsOptions {
  readonly core: ChangeCore;
  readonly states: EndpointStates;
  readonly wallClock: () => number;
}

export class EndpointOperations {
  readonly #options: EndpointOperationsOptions;
  /** Until when each endpoint was told to drain last, by id. */
  readonly #deadlines = new Map<number, number | null>();

  constructor(options: EndpointOperationsOptions) {
    this.#options = options;
  }

  /** @param options deadlineMs: how long sessions may stay on a draining endpoint. */
  async set(
    actor: Actor,
    serviceName: string,
    url: string,
    state: 'enabled' | 'drain' | 'disabled',
    options: ChangeOptions & { readonly deadlineMs?: number },
  ): Promise<void> {
    const { core, wallClock } = this.#options;
    const { deadlineMs } = options;
    if (deadlineMs !== undefined && state !== 'drain') {
      const message = `deadline only goes with state drain, not with ${state}`;
      throw new OperationError('invalid_request', message, [{ field: '/deadline', message }]);
    }
    if (deadlineMs !== undefined && wallClock() + deadlineMs > LATEST) {
      const message = 'deadline must lie before the end of all calendars; leave it out for a drain without end';
      throw new OperationError('invalid_request', message, [{ field: '/deadline', message }]);
    }
    await core.change(actor, options, (running) => {
      const service = findService(running.config, serviceName);
      findEndpoint(service, url);
      const key = endpointKey(serviceName, url);
      const before = (running.entries.get(key) as EndpointOverride | undefined) ?? null;
      const until = deadlineMs === undefined ? null : wallClock() + deadlineMs;
      const after: EndpointOverride | null =
        state === 'enabled' ? null : { state: state === 'drain' ? 'draining' : 'disabled', until };
      const ends = until === null ? '' : ` until ${new Date(until).toISOString()}`;
      return {
        puts: after === null ? [] : [{ key, value: after }],
        deletes: after === null ? [key] : [],
        scope: 'nothing',
        action: 'endpoint.state',
        target: `services/${serviceName}/endpoints/${url}`,
        before: before?.state ?? 'enabled',
        after: after?.state ?? 'enabled',
        events: [
          {
            ...{ type: 'endpoint.state', level: 'info', service: serviceName, endpoint: url },
            message: `${url} of ${serviceName} is ${after?.state ?? 'enabled'}${ends}`,
            data: {
              state: after?.state ?? 'enabled',
              ...(until === null ? {} : { until: new Date(until).toISOString() }),
            },
          },
        ],
      };
    });
  }

  /** Makes the endpoint table what the runtime changes say; call whenever either has changed. */
  settle({ snapshot, entries }: RunningState): void {
    const told = new Map([...entries].filter(([key]) => isEndpointKey(key)));
    const named = overriddenServices(told);
    for (const service of snapshot.services) {
      const wanted = named.has(service.name) ? serviceOverrides(told, service.name).endpoints : null;
      for (const { id, url } of endpointsOf(service)) this.#settleOne(id, wanted?.get(url));
    }
  }

  #settleOne(id: number, wanted: EndpointOverride | undefined): void {
    const { states, wallClock } = this.#options;
    const left = wanted?.until == null ? undefined : wanted.until - wallClock();
    const over = wanted?.state === 'draining' && left !== undefined && left <= 0;
    const target = wanted === undefined ? 'enabled' : over ? 'disabled' : wanted.state;
    // A new deadline is a change too.
    const isSame = target !== 'draining' || this.#deadlines.get(id) === wanted!.until;
    if (states.stateOf(id) === target && isSame) return;
    if (target === 'enabled') states.enable(id);
    else if (target === 'disabled') states.disable(id);
    else {
      this.#deadlines.set(id, wanted!.until);
      states.drain(id, left);
    }
  }
}

const endpointsOf = (service: Snapshot['services'][number]) => service.versions.flatMap(({ endpoints }) => endpoints);

function findEndpoint(service: ServiceConfig, url: string): void {
  const urls = service.versions.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.url));
  if (urls.includes(url)) return;
  const message = `${service.name} has no endpoint ${url}; ${nameHint(url, urls)}`;
  throw new OperationError('not_found', message, [{ field: '/url', message }]);
}

/**
 * Registering, replacing and taking out versions, and saying which lane each is in.
 *
 * A new version has no weight and no lane, so registering one moves no request. Taking one out needs it to be out of traffic already (no
 * weight, not stable, named by no route): what takes traffic away is a change of weights, which is judged and shielded, not this.
 * Requests in flight on it finish.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type EndpointConfig,
  isLane,
  LANES,
  type Lane,
  type ServiceConfig,
  type VersionConfig,
} from '../../model/config.ts';
import { parseEndpointUrl } from '../config/addresses.ts';
import { nameHint } from '../config/nearest-name.ts';
import { NAME_PATTERN } from '../config/schema-node.ts';
import { ENDPOINT } from '../config/settings.ts';
import type { Actor, Applied, ChangeOptions, ServiceView } from '../operations.ts';
import { type FieldFault, OperationError } from '../problems.ts';
import { lanesKey, rollbackKey, versionKey } from '../state/overrides.ts';
import type { ChangeCore, Draft, RunningState } from './change-core.ts';
import { findService, findVersion } from './find.ts';
import { refuseChanged } from './weights.ts';

/** An endpoint as a caller writes it. */
export interface GivenEndpoint {
  readonly url: string;
  readonly weight?: number;
  readonly maxRequests?: number;
}

type Setting = keyof typeof ENDPOINT;

export class VersionOperations {
  readonly #core: ChangeCore;

  constructor(core: ChangeCore) {
    this.#core = core;
  }

  async put(
    actor: Actor,
    serviceName: string,
    name: string,
    given: readonly GivenEndpoint[],
    options: ChangeOptions,
  ): Promise<Applied & { readonly created: boolean }> {
    const endpoints = resolveEndpoints(given);
    checkName(name);
    let created = false;
    const applied = await this.#core.change(actor, options, (state) => {
      const service = findService(state.config, serviceName);
      this.#core.refuseHeld(serviceName, name);
      refuseChanged(service, options.ifMatch);
      const before = service.versions.find((version) => version.name === name);
      created = before === undefined;
      const urls = endpoints.map(({ url }) => url);
      return {
        ...kept(versionKey(serviceName, name), endpoints, inFile(state, serviceName, name)?.endpoints),
        scope: 'snapshot',
        action: 'version.set',
        target: `services/${serviceName}/versions/${name}`,
        before: before?.endpoints ?? null,
        after: endpoints,
        events: [
          {
            ...{ type: 'version.changed', level: 'info', service: serviceName, version: name },
            message: `${name} of ${serviceName} ${created ? 'is registered with' : 'now has'} ${urls.join(', ')}`,
            data: { created, endpoints },
          },
        ],
      };
    });
    return { ...applied, created };
  }

  remove(actor: Actor, serviceName: string, name: string, options: ChangeOptions): Promise<Applied> {
    return this.#core.change(actor, options, (state) => {
      const service = findService(state.config, serviceName);
      this.#core.refuseHeld(serviceName, name);
      refuseChanged(service, options.ifMatch);
      const version = findVersion(service, name);
      refuseInUse(service, name);
      const isInFile = inFile(state, serviceName, name) !== undefined;
      const key = versionKey(serviceName, name);
      const lane = LANES.find((each) => service.lanes[each] === name);
      const lanes = lane === undefined ? [] : [{ key: lanesKey(serviceName), value: without(service.lanes, lane) }];
      return {
        // A version of the file stays taken out; one that was only registered is forgotten.
        puts: [...(isInFile ? [{ key, value: null }] : []), ...lanes],
        deletes: isInFile ? [] : [key],
        scope: 'snapshot',
        action: 'version.remove',
        target: `services/${serviceName}/versions/${name}`,
        before: version.endpoints,
        after: null,
        events: [
          {
            ...{ type: 'version.removed', level: 'info', service: serviceName, version: name },
            message: `${name} of ${serviceName} was taken out; requests in flight finish`,
          },
        ],
      };
    });
  }

  async setLanes(
    actor: Actor,
    serviceName: string,
    given: { readonly [Key in Lane]?: string | null },
    options: ChangeOptions,
  ): Promise<Applied & { readonly lanes: ServiceView['lanes'] }> {
    const applied = await this.#core.change(actor, options, (state) => {
      const service = findService(state.config, serviceName);
      this.#core.refuseHeld(serviceName);
      refuseChanged(service, options.ifMatch);
      const lanes = resolveLanes(service, given);
      const listed = Object.entries(lanes).map(([lane, version]) => `${lane} ${version}`);
      return {
        ...withoutRollback(state, service, lanes, kept(lanesKey(serviceName), lanes, fileLanes(state, serviceName))),
        scope: 'snapshot',
        action: 'lanes.set',
        target: `services/${serviceName}/lanes`,
        before: service.lanes,
        after: lanes,
        events: [
          {
            ...{ type: 'lanes.changed', level: 'info', service: serviceName },
            message: `Lanes of ${serviceName}: ${listed.join(', ')}`,
            data: { before: service.lanes, after: lanes },
          },
        ],
      };
    });
    return { ...applied, lanes: findService(this.#core.state.config, serviceName).lanes };
  }
}

/** A change back to what the file says is no change of the file any more, so that later edits of the file hold again. */
function kept(key: string, value: unknown, file: unknown): Required<Pick<Draft, 'puts' | 'deletes'>> {
  return isDeepStrictEqual(value, file) ? { puts: [], deletes: [key] } : { puts: [{ key, value }], deletes: [] };
}

/** A gradual rollback takes traffic to the version that was stable when it began; another stable one ends it. */
function withoutRollback(
  state: RunningState,
  service: ServiceConfig,
  lanes: ServiceConfig['lanes'],
  change: Required<Pick<Draft, 'puts' | 'deletes'>>,
): Required<Pick<Draft, 'puts' | 'deletes'>> {
  const key = rollbackKey(service.name);
  if (lanes.stable === service.lanes.stable || !state.entries.has(key)) return change;
  return { puts: change.puts, deletes: [...change.deletes, key] };
}

const fileService = (state: RunningState, name: string): ServiceConfig =>
  state.file.services.find((service) => service.name === name)!;
const fileLanes = (state: RunningState, service: string): ServiceConfig['lanes'] => fileService(state, service).lanes;
const inFile = (state: RunningState, service: string, version: string): VersionConfig | undefined =>
  fileService(state, service).versions.find(({ name }) => name === version);

function checkName(name: string): void {
  const fault = !new RegExp(NAME_PATTERN).test(name)
    ? `a version has a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit, not ${JSON.stringify(name)}`
    : isLane(name)
      ? `${name} is the name of a lane; give the version another name, such as v3`
      : null;
  if (fault !== null) throw new OperationError('invalid_request', fault, [{ field: 'path:version', message: fault }]);
}

function resolveEndpoints(given: readonly GivenEndpoint[]): EndpointConfig[] {
  const faults: FieldFault[] = [];
  const seen = new Set<string>();
  if (given.length === 0) faults.push({ field: '/endpoints', message: 'a version needs at least one endpoint' });
  const endpoints = given.map((endpoint, index) => {
    const field = `/endpoints/${index}`;
    const parsed = parseEndpointUrl(endpoint.url);
    const url = 'ok' in parsed ? parsed.ok : endpoint.url;
    if ('fault' in parsed) faults.push({ field: `${field}/url`, message: parsed.fault });
    else if (seen.has(url)) faults.push({ field: `${field}/url`, message: `${url} is there twice; remove one` });
    seen.add(url);
    const number = (key: Setting): number => {
      const { fallback, least, most } = ENDPOINT[key];
      const value = endpoint[key] ?? Number(fallback);
      if (!Number.isSafeInteger(value) || value < Number(least) || value > Number(most)) {
        faults.push({
          field: `${field}/${key}`,
          message: `${key} must be a whole number from ${least} to ${most}, not ${value}`,
        });
      }
      return value;
    };
    return { url, weight: number('weight'), maxRequests: number('maxRequests') };
  });
  if (faults.length > 0) throw new OperationError('invalid_request', faults[0]!.message, faults);
  return endpoints;
}

function refuseInUse(service: ServiceConfig, name: string): void {
  const weight = service.weights[name] ?? 0;
  if (service.lanes.stable === name) {
    throw new OperationError('conflict', `${name} is stable; make another version stable first`);
  }
  if (weight > 0) {
    throw new OperationError('conflict', `${name} gets ${weight} % of the traffic; set its weight to 0 first`);
  }
}

function resolveLanes(
  service: ServiceConfig,
  given: { readonly [Key in Lane]?: string | null },
): ServiceConfig['lanes'] {
  const names = service.versions.map(({ name }) => name);
  const lanes: { -readonly [Key in Lane]?: string } = { ...service.lanes };
  const faults: FieldFault[] = [];
  for (const lane of LANES) {
    const version = given[lane];
    if (version === undefined) continue;
    const field = `/${lane}`;
    if (version === null && lane === 'stable')
      faults.push({ field, message: 'a service always has a stable version; name another one' });
    else if (version === null) delete lanes[lane];
    else if (!names.includes(version)) {
      faults.push({ field, message: `${service.name} has no version ${version}; ${nameHint(version, names)}` });
    } else lanes[lane] = version;
  }
  for (const lane of LANES) {
    const other = LANES.find((each) => each !== lane && lanes[each] === lanes[lane] && lanes[lane] !== undefined);
    // Of two lanes with one version the one that was not asked for is in the way.
    if (other === undefined || given[lane] === undefined || given[lane] === null) continue;
    const message = `${lanes[lane]} is in the ${other} lane already; a version has one lane, so give ${other} another one or null`;
    faults.push({ field: `/${lane}`, message });
    break;
  }
  if (faults.length > 0) throw new OperationError('invalid_request', faults[0]!.message, faults);
  return { ...lanes, stable: lanes.stable ?? service.lanes.stable };
}

function without(lanes: ServiceConfig['lanes'], lane: Lane): ServiceConfig['lanes'] {
  const { [lane]: _gone, ...rest } = lanes;
  return { ...rest, stable: lanes.stable };
}

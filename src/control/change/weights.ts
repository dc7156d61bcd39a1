/**
 * Changing the weights of a service, and taking traffic back.
 *
 * Weights are named by version or by lane. Percent must sum to 100, because a number that was forgotten is an error that nobody should have
 * to find in production; whoever thinks in ratios uses relative weights, which are divided so that the hundredths sum exactly (largest
 * remainder). Two operators cannot overwrite each other unknowingly: the ETag is a digest of lanes and weights, so it changes exactly
 * when they do, and is the same after a restart.
 */
import { createHash } from 'node:crypto';
import type { Lane, ServiceConfig } from '../../model/config.ts';
import { isHundredths } from '../config/units.ts';
import type { NewEvent } from '../events/event.ts';
import type { Actor, ChangeOptions, ServiceView, WeightsChanged, WeightsView } from '../operations.ts';
import { type FieldFault, OperationError } from '../problems.ts';
import { rollbackKey, rollbackOf, weightsKey } from '../state/overrides.ts';
import type { ChangeCore, Draft, RunningState } from './change-core.ts';
import { findService } from './find.ts';

type Weights = Readonly<Record<string, number>>;

export function etagOf(service: ServiceConfig): string {
  const weights = Object.entries(service.weights).sort(([a], [b]) => (a < b ? -1 : 1));
  const lanes = Object.entries(service.lanes).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([weights, lanes]))
    .digest('hex')
    .slice(0, 16);
}

/** @throws OperationError changed_meanwhile. @param ifMatch the tag of the state that the change was decided on; left out, any. */
export function refuseChanged(service: ServiceConfig, ifMatch: string | undefined): void {
  const etag = etagOf(service);
  if (ifMatch === undefined || ifMatch === etag) return;
  const now = Object.entries(service.weights).map(([name, weight]) => `${name}=${weight}`);
  const message = `${service.name} has been changed meanwhile: ${now.join(' ')} (ETag ${etag}); look at it and decide anew`;
  throw new OperationError('changed_meanwhile', message);
}

/** @returns percent by version, every version named. @throws OperationError invalid_request */
export function resolveWeights(service: ServiceConfig, given: Weights): Weights {
  const { shares, faults } = resolveNames(service, given);
  for (const [name, value] of Object.entries(given)) {
    if (value > 100)
      faults.push({ field: `/${name}`, message: `${name} must be a percentage from 0 to 100, not ${value}` });
    else if (Number.isFinite(value) && !isHundredths(value)) {
      faults.push({ field: `/${name}`, message: `${name} has steps of 0.01, not ${value}` });
    }
  }
  const sum = Object.values(shares).reduce((total, share) => total + Math.round(share * 100), 0) / 100;
  if (faults.length === 0 && sum !== 100) {
    const gap = Math.round(Math.abs(100 - sum) * 100) / 100;
    faults.push({
      field: '',
      message: `the weights sum to ${sum}, must be 100; ${sum < 100 ? 'raise' : 'lower'} one by ${gap}`,
    });
  }
  // What is kept are whole hundredths, not a billionth that was given to an otherwise idle version.
  const whole = Object.entries(shares).map(([name, share]) => [name, Math.round(share * 100) / 100] as const);
  return checked(service, Object.fromEntries(whole), faults);
}

/** Any numbers, in proportion. */
export function resolveRelative(service: ServiceConfig, given: Weights): Weights {
  const { shares, faults } = resolveNames(service, given);
  const sum = Object.values(shares).reduce((total, share) => total + share, 0);
  if (faults.length === 0 && !(sum > 0 && Number.isFinite(sum))) {
    faults.push({ field: '', message: 'at least one weight must be above 0' });
  }
  const exact = Object.entries(shares).map(([name, share]) => ({ name, parts: (share / sum) * 10_000 }));
  const whole = new Map(exact.map(({ name, parts }) => [name, Math.floor(parts)]));
  let rest = 10_000 - [...whole.values()].reduce((total, parts) => total + parts, 0);
  for (const { name } of exact.toSorted((a, b) => (b.parts % 1) - (a.parts % 1))) {
    if (rest <= 0) break;
    whole.set(name, whole.get(name)! + 1);
    rest--;
  }
  return checked(service, Object.fromEntries([...whole].map(([name, parts]) => [name, parts / 100])), faults);
}

function resolveNames(
  service: ServiceConfig,
  given: Weights,
): { shares: Record<string, number>; faults: FieldFault[] } {
  const names = service.versions.map(({ name }) => name);
  const shares: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
  const faults: FieldFault[] = [];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(given)) {
    const version = names.includes(name)
      ? name
      : Object.hasOwn(service.lanes, name)
        ? service.lanes[name as Lane]
        : undefined;
    const field = `/${name}`;
    if (version === undefined) {
      const lanes = Object.entries(service.lanes).map(([lane, of]) => `${lane} (${of})`);
      const message = `${service.name} has no version or lane ${name}; there are ${names.join(', ')}, and ${lanes.join(', ')}`;
      faults.push({ field, message });
    } else if (seen.has(version)) {
      faults.push({ field, message: `${name} is version ${version}, which has a weight already; name it once` });
    } else if (!(Number.isFinite(value) && value >= 0)) {
      faults.push({ field, message: `${name} must be a number from 0 on, not ${value}` });
    } else {
      seen.add(version);
      shares[version] = value;
    }
  }
  return { shares, faults };
}

function checked(service: ServiceConfig, shares: Weights, faults: FieldFault[]): Weights {
  const { candidate } = service.lanes;
  if (candidate !== undefined && (shares[candidate] ?? 0) > 0) {
    const message = `${candidate} is in the candidate lane, which gets no weight; make it the canary first`;
    faults.push({ field: `/${candidate}`, message });
  }
  if (faults.length > 0) throw new OperationError('invalid_request', faults[0]!.message, faults);
  return shares;
}

export function weightsView(state: RunningState, name: string): WeightsView {
  const service = findService(state.config, name);
  const file = state.file.services.find((each) => each.name === name)!;
  return { weights: service.weights, lanes: service.lanes, etag: etagOf(service), file: file.weights };
}

const shown = (weights: Weights): string =>
  Object.entries(weights)
    .map(([name, weight]) => `${name} ${weight} %`)
    .join(', ');

export interface WeightsHow {
  readonly action: string;
  readonly reason?: string | undefined;
  /** Told behind the change itself. */
  readonly also?: readonly NewEvent[];
  readonly urgent?: boolean;
}

/** Other weights, and nothing else; a step of a gradual rollback is one. */
export function stepDraft(service: ServiceConfig, weights: Weights, how: WeightsHow): Draft {
  const event: NewEvent = {
    type: 'weights.changed',
    level: 'info',
    service: service.name,
    message: `${service.name}: ${shown(weights)}`,
    data: { before: service.weights, after: weights, ...(how.reason === undefined ? {} : { reason: how.reason }) },
  };
  return {
    puts: [{ key: weightsKey(service.name), value: weights }],
    scope: { weights: service.name },
    action: how.action,
    target: `services/${service.name}/weights`,
    before: service.weights,
    after: weights,
    events: [event, ...(how.also ?? [])],
    ...(how.urgent === true ? { urgent: true } : {}),
  };
}

/** Weights that somebody decided on, which ends a gradual rollback under way. */
export function weightsDraft(state: RunningState, service: ServiceConfig, weights: Weights, how: WeightsHow): Draft {
  const draft = stepDraft(service, weights, how);
  if (rollbackOf(state.entries, service.name) === null) return draft;
  const ended: NewEvent = {
    type: 'rollback.finished',
    level: 'info',
    service: service.name,
    message: `The gradual rollback of ${service.name} was ended by a change of weights`,
  };
  return { ...draft, deletes: [rollbackKey(service.name)], events: [ended, ...draft.events] };
}

export class WeightOperations {
  readonly #core: ChangeCore;

  constructor(core: ChangeCore) {
    this.#core = core;
  }

  view(service: string): WeightsView {
    return weightsView(this.#core.state, service);
  }

  set(actor: Actor, name: string, given: Weights, options: ChangeOptions): Promise<WeightsChanged> {
    return this.#change(actor, name, options, (service) => resolveWeights(service, given));
  }

  async setRelative(
    actor: Actor,
    name: string | null,
    given: Weights,
    options: ChangeOptions,
  ): Promise<WeightsChanged & { readonly service: string }> {
    const { services } = this.#core.state.config;
    if (name === null && services.length !== 1) {
      const message = `there are ${services.length} services; say which with ?service=, such as ?service=${services[0]?.name}`;
      throw new OperationError('invalid_request', message, [{ field: 'query:service', message }]);
    }
    const service = name ?? services[0]!.name;
    return { service, ...(await this.#change(actor, service, options, (each) => resolveRelative(each, given))) };
  }

  async #change(
    actor: Actor,
    name: string,
    options: ChangeOptions,
    resolve: (service: ServiceConfig) => Weights,
  ): Promise<WeightsChanged> {
    const applied = await this.#core.change(actor, options, (state) => {
      const service = findService(state.config, name);
      this.#core.refuseHeld(name);
      refuseChanged(service, options.ifMatch);
      return weightsDraft(state, service, resolve(service), { action: 'weights.set', reason: options.reason });
    });
    return { ...this.view(name), ...applied };
  }

  async reset(actor: Actor, name: string, options: ChangeOptions): Promise<WeightsChanged> {
    const applied = await this.#core.change(actor, options, (state) => {
      const service = findService(state.config, name);
      this.#core.refuseHeld(name);
      refuseChanged(service, options.ifMatch);
      const file = state.file.services.find((each) => each.name === name)!;
      const draft = weightsDraft(state, service, file.weights, { action: 'weights.reset', reason: options.reason });
      return { ...draft, puts: [], deletes: [...(draft.deletes ?? []), weightsKey(name)] };
    });
    return { ...this.view(name), ...applied };
  }

  /** Everything to stable at once. */
  async rollBack(actor: Actor, name: string, options: ChangeOptions): Promise<WeightsChanged> {
    const now = findService(this.#core.state.config, name);
    refuseChanged(now, options.ifMatch);
    const endDiversion = this.#core.divert(name, allToStable(now));
    try {
      const applied = await this.#core.change(actor, options, (state) => {
        endDiversion();
        const service = findService(state.config, name);
        const { reason } = options;
        const also: readonly NewEvent[] = [
          rollbackEvent('rollback.started', service, reason),
          rollbackEvent('rollback.finished', service, reason),
        ];
        return weightsDraft(state, service, allToStable(service), { action: 'rollback', reason, also, urgent: true });
      });
      return { ...this.view(name), ...applied };
    } finally {
      endDiversion();
    }
  }
}

export const allToStable = ({
  versions,
  lanes,
}: Pick<ServiceView | ServiceConfig, 'lanes'> & { readonly versions: readonly { readonly name: string }[] }): Weights =>
  Object.fromEntries(versions.map(({ name }) => [name, name === lanes.stable ? 100 : 0]));

export const rollbackEvent = (
  type: 'rollback.started' | 'rollback.finished',
  service: ServiceConfig,
  reason: string | undefined,
): NewEvent => ({
  type,
  level: type === 'rollback.started' ? 'warning' : 'info',
  service: service.name,
  version: service.lanes.stable,
  message:
    type === 'rollback.started'
      ? `Traffic of ${service.name} is taken back to ${service.lanes.stable}${reason === undefined ? '' : `: ${reason}`}`
      : `All traffic of ${service.name} is on ${service.lanes.stable}`,
  data: { weights: service.weights, ...(reason === undefined ? {} : { reason }) },
});

/**
 * Finding what an operator names, or saying what there is instead.
 *
 * A name that is not there is usually a slip of the finger, so the refusal names the nearest one.
 */
import type { ServiceConfig, SluiceConfig, VersionConfig } from '../../model/config.ts';
import { nameHint } from '../config/nearest-name.ts';
import { OperationError } from '../problems.ts';

/** @throws OperationError not_found */
export function findService(config: SluiceConfig, name: string): ServiceConfig {
  const service = config.services.find((each) => each.name === name);
  if (service !== undefined) return service;
  const names = config.services.map((each) => each.name);
  throw new OperationError('not_found', `there is no service ${name}; ${nameHint(name, names)}`);
}

/** @throws OperationError not_found */
export function findVersion(service: ServiceConfig, name: string): VersionConfig {
  const version = service.versions.find((each) => each.name === name);
  if (version !== undefined) return version;
  const names = service.versions.map((each) => each.name);
  throw new OperationError('not_found', `there is no version ${name} of ${service.name}; ${nameHint(name, names)}`);
}

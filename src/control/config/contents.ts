/**
 * How much is in a configuration: what a check answers where there is no fault.
 *
 * Counts and nothing else, so that the answer can come from another thread, which secrets cannot.
 */
import type { SluiceConfig } from '../../model/config.ts';

export interface ConfigContents {
  readonly services: number;
  readonly versions: number;
  readonly endpoints: number;
  readonly routes: number;
}

export function contentsOf({ services, routes }: SluiceConfig): ConfigContents {
  const versions = services.flatMap((service) => service.versions);
  return {
    services: services.length,
    versions: versions.length,
    endpoints: versions.reduce((sum, version) => sum + version.endpoints.length, 0),
    routes: routes.length,
  };
}

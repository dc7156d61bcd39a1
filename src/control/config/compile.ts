/**
 * Configuration → snapshot: what workers run.
 *
 * Pure: the same configuration and generation give the same snapshot. It gives every service, version and endpoint its dense
 * index, turns weights into whole hundredths of a percent, and takes addresses apart once, so that no request does. The
 * result is frozen; it shares nothing with the configuration.
 */
import type { Lane, ServiceConfig, SluiceConfig } from '../../model/config.ts';
import type { EndpointSnapshot, ServiceSnapshot, Snapshot, VersionSnapshot } from '../../model/snapshot.ts';

const LANES = ['stable', 'canary', 'candidate'] as const satisfies readonly Lane[];

export function compileSnapshot(config: SluiceConfig, generation: number): Snapshot {
  let versionId = 0;
  let endpointId = 0;

  const compileEndpoint = (endpoint: { url: string; weight: number }): EndpointSnapshot => {
    const url = new URL(endpoint.url);
    return {
      id: endpointId++,
      url: endpoint.url,
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 80 : Number(url.port),
      authority: url.host,
      weight: endpoint.weight,
    };
  };

  const compileVersions = (service: ServiceConfig): VersionSnapshot[] =>
    service.versions.map((version) => ({
      id: versionId++,
      name: version.name,
      lane: LANES.find((lane) => service.lanes[lane] === version.name) ?? null,
      weight: Math.round((service.weights[version.name] ?? 0) * 100),
      endpoints: version.endpoints.map(compileEndpoint),
    }));

  const compileService = (service: ServiceConfig, id: number): ServiceSnapshot => ({
    id,
    name: service.name,
    versions: compileVersions(service),
    stable: service.versions.findIndex((version) => version.name === service.lanes.stable),
    overrideHeader: service.override?.header.toLowerCase() ?? null,
    timeouts: { ...service.timeouts },
    pool: { ...service.pool },
    exposeVersion: service.exposeVersion,
  });

  return freeze({
    generation,
    limits: { ...config.limits },
    timeouts: { ...config.timeouts },
    trustedProxies: [...config.trustedProxies],
    headers: { ...config.headers },
    services: config.services.map(compileService),
    routes: config.routes.map((route) => ({ match: { ...route.match }, service: route.service })),
  });
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}

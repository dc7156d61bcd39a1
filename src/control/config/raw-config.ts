/**
 * The configuration as written: the shape that the schema admits, before defaults, units and cross-references.
 *
 * The `resolve-*` files read a part of it only after `Review.sound` has said that the part has this shape.
 */
import type {
  DownstreamTimeoutsConfig,
  Lane,
  LimitsConfig,
  PoolConfig,
  ServiceTimeoutsConfig,
} from '../../model/config.ts';

type Written<T> = { readonly [Key in keyof T]?: string | number };

export type RawListen = string | number | { readonly address: string | number };

export type RawEndpoint = string | { readonly url: string; readonly weight?: number };

export interface RawService {
  readonly versions: Readonly<Record<string, { readonly endpoints: readonly RawEndpoint[] }>>;
  readonly lanes?: { readonly [Key in Lane]?: string };
  readonly split?: { readonly weights: Readonly<Record<string, number>> };
  readonly override?: { readonly header: string };
  readonly timeouts?: Written<ServiceTimeoutsConfig>;
  readonly pool?: Written<PoolConfig>;
  readonly exposeVersion?: boolean;
}

export interface RawRoute {
  readonly match?: { readonly host?: string; readonly pathPrefix?: string };
  readonly service: string;
}

export interface RawConfig {
  readonly listen: RawListen | readonly RawListen[];
  readonly workers?: 'auto' | number;
  readonly limits?: Written<LimitsConfig>;
  readonly timeouts?: Written<DownstreamTimeoutsConfig>;
  readonly trustedProxies?: readonly string[];
  readonly headers?: { readonly forwarded?: boolean; readonly via?: string };
  readonly services: Readonly<Record<string, RawService>>;
  readonly routes?: readonly RawRoute[];
}

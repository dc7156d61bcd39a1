/** The whole of a configuration file as written; see `raw-config.ts` for its parts. */
import type { DownstreamTimeoutsConfig, LimitsConfig } from '../../model/config.ts';
import type { RawAccessLog, RawAdmin, RawEvents, RawTracing } from './raw-admin.ts';
import type { RawListen, RawMonitor, RawService, Written } from './raw-config.ts';
import type { RawFlag } from './raw-flags.ts';
import type { RawRollouts } from './raw-rollouts.ts';
import type { RawRoute } from './raw-route.ts';

export interface RawFile extends RawRollouts {
  readonly listen: RawListen | readonly RawListen[];
  readonly workers?: 'auto' | number;
  readonly limits?: Written<LimitsConfig>;
  readonly timeouts?: Written<DownstreamTimeoutsConfig>;
  readonly trustedProxies?: readonly string[];
  readonly headers?: { readonly forwarded?: boolean; readonly via?: string };
  readonly services: Readonly<Record<string, RawService>>;
  readonly monitor?: RawMonitor;
  readonly routes?: readonly RawRoute[];
  readonly flags?: Readonly<Record<string, RawFlag>>;
  readonly environment?: string;
  readonly data?: string;
  readonly admin?: RawAdmin;
  readonly events?: RawEvents;
  readonly accessLog?: RawAccessLog;
  readonly tracing?: RawTracing;
}

/** Feature flags as written: the shape that the schema admits, before defaults and units. */
import type { RawKey } from './raw-config.ts';

/** `true`, `on`, `5%`, `0.01` … */
export type RawShare = boolean | string | number;

export type RawFlag =
  | RawShare
  | {
      readonly default?: RawShare;
      readonly environments?: Readonly<Record<string, RawShare>>;
      readonly key?: RawKey;
      readonly header?: string;
    };

/**
 * Feature flags: every share is a percentage, a share of the users knows who a user is, and no header says two things.
 *
 * The header of a flag belongs to the flag alone. A client's own is struck before anything reads the request, so a predicate or a key that
 * reads it would never see one, and an edit of it would make Sluice say two things at once. All of these are refused.
 */
import type { FlagConfig } from '../../model/admin-config.ts';
import type { SluiceConfig } from '../../model/config.ts';
import type { ConfigPath } from './faults.ts';
import { isReservedHeader } from './header-names.ts';
import { nameHint } from './nearest-name.ts';
import type { RawFlag, RawShare } from './raw-flags.ts';
import type { RawMatch } from './raw-route.ts';
import { keyHeader, routeHeaders, serviceHeaders } from './resolve-capacity.ts';
import { resolveKey } from './resolve-key.ts';
import { OWN_FIELDS } from './resolve-route-headers.ts';
import { resolveSetting } from './resolve-settings.ts';
import type { Review } from './review.ts';
import type { Setting } from './settings.ts';

const SHARE: Setting = { kind: 'percent', least: 0, most: 100, meaning: '' };

/** Fields that requests are understood by, besides those that Sluice writes or that frame the message. */
const MEANINGFUL = new Set([
  'authorization',
  'cookie',
  'content-encoding',
  'content-type',
  'range',
  'tracestate',
  'x-real-ip',
]);

export function resolveFlags(
  raw: Readonly<Record<string, RawFlag>> | undefined,
  review: Review,
): readonly FlagConfig[] {
  if (!isMapping(raw)) return [];
  return Object.entries(raw).flatMap(([name, written]) => {
    const path = ['flags', name];
    // Its shape has been reported.
    if (!review.sound(path)) return [];
    if (typeof written !== 'object') {
      const share = resolveShare(written, path, review);
      checkDividing([[share, path]], false, review);
      return { name, default: share, environments: {} };
    }
    return resolveFlag(name, written, path, review);
  });
}

function resolveFlag(name: string, raw: Exclude<RawFlag, RawShare>, path: ConfigPath, review: Review): FlagConfig {
  const standard = resolveShare(raw.default ?? false, [...path, 'default'], review);
  const shares: [share: number, path: ConfigPath][] = [[standard, [...path, 'default']]];
  const environments: Record<string, number> = {};
  for (const [environment, written] of Object.entries(raw.environments ?? {})) {
    const at = [...path, 'environments', environment];
    const share = resolveShare(written, at, review);
    environments[environment] = share;
    shares.push([share, at]);
  }
  checkDividing(shares, raw.key !== undefined, review);
  return {
    name,
    default: standard,
    environments,
    ...(raw.key === undefined ? {} : { key: resolveKey(raw.key, [...path, 'key'], review) }),
    ...(raw.header === undefined ? {} : { header: raw.header }),
  };
}

function resolveShare(written: RawShare, path: ConfigPath, review: Review): number {
  const word = switchOf(written);
  return word === null ? resolveSetting(SHARE, written, path, review) : word ? 100 : 0;
}

/** `true` for on, `false` for off, null for what is neither. */
export function switchOf(written: unknown): boolean | null {
  if (typeof written === 'boolean') return written;
  if (written === 'on' || written === 'true') return true;
  return written === 'off' || written === 'false' ? false : null;
}

/** Reports the first share that would have to tell users apart where nothing says who a user is. */
function checkDividing(shares: readonly (readonly [number, ConfigPath])[], keyed: boolean, review: Review): void {
  const dividing = keyed ? undefined : shares.find(([share]) => needsKey(share));
  if (dividing === undefined) return;
  const [share, path] = dividing;
  review.report(
    path,
    `${share}% of the users need a key to tell them by; add one such as key: {header: X-User-Id}, or write on or off`,
  );
}

/** Whether a flag of this percentage must have a key. */
export const needsKey = (share: number): boolean => share > 0 && share < 100;

/** Refuses headers that are not a flag's own; see above. */
export function checkFlagHeaders({ services, routes, flags }: SluiceConfig, review: Review): void {
  const keys = flags.map((flag) => keyHeader(flag.key));
  const used = new Set([...services.flatMap(serviceHeaders), ...routes.flatMap(routeHeaders), ...keys]);
  const tellers = new Map<string, string>();
  for (const { name, header } of flags) {
    if (header === undefined) continue;
    const lower = header.toLowerCase();
    const other = tellers.get(lower);
    const report = (message: string): void => review.report(['flags', name, 'header'], `${header} ${message}`);
    if (isMeaningful(lower)) report('has a meaning of its own; use another, such as X-Flag-Beta');
    else if (other !== undefined) report(`tells of the flag ${other} already; use another`);
    else if (used.has(lower)) report('is read or changed elsewhere in the file; a flag needs a header of its own');
    tellers.set(lower, name);
  }
}

function isMeaningful(header: string): boolean {
  const own = OWN_FIELDS.request.has(header) || header.startsWith('x-forwarded-');
  return own || isReservedHeader(header) || MEANINGFUL.has(header);
}

/** The flags that a route asks for. @param known names of the flags, null where they cannot be told. */
export function resolveFlagMatch(
  raw: NonNullable<RawMatch['flags']>,
  known: readonly string[] | null,
  path: ConfigPath,
  review: Review,
): { readonly name: string; readonly on: boolean }[] {
  return Object.entries(raw).map(([name, written]) => {
    if (known !== null && !known.includes(name)) {
      const hint = (): string => (known.length === 0 ? 'there are none; add it to flags' : nameHint(name, known));
      review.reportKey([...path, name], () => `no flag ${name}; ${hint()}`);
    }
    return { name, on: switchOf(written) === true };
  });
}

/** Names of the flags as written, for those who refer to them; null where they cannot be told. */
export const flagNames = (raw: unknown): readonly string[] | null =>
  raw === undefined ? [] : isMapping(raw) ? Object.keys(raw) : null;

function isMapping(value: unknown): value is Readonly<Record<string, RawFlag>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

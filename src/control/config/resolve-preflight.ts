/**
 * The checks of a version before users get it.
 *
 * A preflight that checks nothing is refused: it would look like one. A check is sent by Sluice itself, so its headers must be ones that can be sent
 * and its path one that a request line can carry.
 */
import type { HttpCheck, PreflightConfig } from '../../model/rollout-config.ts';
import type { ConfigPath } from './faults.ts';
import { isReservedHeader } from './header-names.ts';
import type { RawCheck, RawPreflight } from './raw-rollouts.ts';
import { checkFieldValue } from './resolve-route-headers.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { CHECK, EXPECT, PREFLIGHT, ROLLOUT_DEFAULTS, WARM_UP } from './rollout-settings.ts';
import { shown } from './structure.ts';

/** Call where the part at `path` is sound. */
export function resolvePreflight(raw: RawPreflight, path: ConfigPath, review: Review): PreflightConfig {
  const health = raw.health ?? ROLLOUT_DEFAULTS.preflightHealth;
  if (!health && raw.warmUp === undefined && raw.smoke === undefined) {
    review.report(path, 'checks nothing; leave health on, or add warmUp or smoke');
  }
  return {
    health,
    warmUp: raw.warmUp === undefined ? null : resolveWarmUp(raw.warmUp, [...path, 'warmUp'], review),
    smoke: resolveChecks(raw.smoke ?? [], [...path, 'smoke'], review),
    ...resolveSettings(PREFLIGHT, raw, path, review),
  };
}

function resolveWarmUp(
  raw: NonNullable<RawPreflight['warmUp']>,
  path: ConfigPath,
  review: Review,
): PreflightConfig['warmUp'] {
  const target = raw.path ?? ROLLOUT_DEFAULTS.warmUpPath;
  checkPath(target, [...path, 'path'], review);
  return { path: target, ...resolveSettings(WARM_UP, raw, path, review) };
}

function resolveChecks(raw: readonly RawCheck[], path: ConfigPath, review: Review): HttpCheck[] {
  const seen = new Set<string>();
  return raw.map((check, index) => {
    const place = [...path, index];
    const name = check.name ?? `check-${index + 1}`;
    if (seen.has(name)) {
      const at = check.name === undefined ? place : [...place, 'name'];
      review.report(at, `${name} is there twice; give each check its own name`);
    }
    seen.add(name);
    return resolveCheck(name, check, place, review);
  });
}

function resolveCheck(name: string, raw: RawCheck, path: ConfigPath, review: Review): HttpCheck {
  checkPath(raw.path, [...path, 'path'], review);
  for (const [header, value] of Object.entries(raw.headers ?? {})) {
    const at = [...path, 'headers', header];
    if (isReservedHeader(header)) review.reportKey(at, `${header} is written by Sluice itself; remove it here`);
    checkFieldValue(value, at, review);
  }
  const expect = raw.expect ?? {};
  const numbers = resolveSettings(CHECK, raw, path, review);
  const { latency } = resolveSettings(EXPECT, expect, [...path, 'expect'], review);
  if (latency > numbers.timeout) {
    review.report(
      [...path, 'expect', 'latency'],
      `${shown(expect.latency)} is more than the timeout of the check; lower it, or raise timeout`,
    );
  }
  return {
    name,
    method: raw.method ?? ROLLOUT_DEFAULTS.checkMethod,
    path: raw.path,
    headers: raw.headers ?? {},
    body: raw.body ?? null,
    expect: { status: [expect.status ?? ROLLOUT_DEFAULTS.checkStatus].flat(), body: expect.body ?? null, latency },
    ...numbers,
  };
}

function checkPath(written: string, path: ConfigPath, review: Review): void {
  if (/^\/[\x21-\x22\x24-\x7e]*$/.test(written)) return;
  const mend = 'write it with percent signs for what is not ASCII, and without spaces and "#"';
  review.report(path, `must be a path that begins with "/", not ${shown(written)}; ${mend}`);
}

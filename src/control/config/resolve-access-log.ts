/**
 * The access log: where it goes and what is in it.
 *
 * A place where there can be no file is a fault. Whether the file may be written is seen when it is opened; traffic does not depend on it.
 */
import type { AccessLogConfig } from '../../model/admin-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawAccessLog, RawAccessLogParts } from './raw-admin.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { ACCESS_LOG, PLAIN_DEFAULTS } from './settings.ts';
import type { Surroundings } from './surroundings.ts';

const PATH: ConfigPath = ['accessLog'];

export function resolveAccessLog(
  raw: RawAccessLog | undefined,
  review: Review,
  surroundings: Surroundings,
): AccessLogConfig | null {
  if (raw === undefined || raw === null) return null;
  const parts: RawAccessLogParts = typeof raw === 'string' ? { path: raw } : raw;
  const at = typeof raw === 'string' ? PATH : [...PATH, 'path'];
  const path = review.sound(at) ? (parts.path ?? PLAIN_DEFAULTS.accessLogPath) : PLAIN_DEFAULTS.accessLogPath;
  const file = path === '-' ? path : surroundings.pathOf(path, at);
  const fault = file === '-' ? null : surroundings.whyNotWritable(file);
  if (fault !== null) review.report(at, fault);
  return {
    path: file,
    format: parts.format ?? PLAIN_DEFAULTS.accessLogFormat,
    ...resolveSettings(ACCESS_LOG, parts, PATH, review),
    errors: parts.errors ?? PLAIN_DEFAULTS.accessLogErrors,
  };
}

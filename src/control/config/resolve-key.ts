/**
 * A key source: exactly one place where a request may carry what identifies its user.
 *
 * Header names become lower case here, once for everyone who compares them; cookie and query names keep their case, as RFC 6265 and
 * RFC 3986 have it.
 */
import type { KeySource } from '../../model/policy-config.ts';
import type { ConfigPath } from './faults.ts';
import { checkHeaderName } from './header-names.ts';
import type { RawKey } from './raw-config.ts';
import type { Review } from './review.ts';

const PLACES = ['header', 'cookie', 'query', 'ip'] as const;

/** Call where the part at `path` is sound. Stands in with the address where nothing usable is written. */
export function resolveKey(raw: RawKey, path: ConfigPath, review: Review): KeySource {
  const written = PLACES.filter((place) => raw[place] !== undefined);
  // An unknown key beside has been reported already, and is most likely what the missing one was meant to be.
  if (written.length > 1 || (written.length === 0 && Object.keys(raw).length === 0)) {
    const found = written.length === 0 ? 'none' : written.join(' and ');
    review.report(path, `must have exactly one of header, cookie, query and ip, not ${found}`);
  }
  if (raw.header !== undefined) {
    return { from: 'header', name: checkHeaderName(raw.header, [...path, 'header'], review) };
  }
  if (raw.cookie !== undefined) return { from: 'cookie', name: raw.cookie };
  if (raw.query !== undefined) return { from: 'query', name: raw.query };
  return { from: 'address' };
}

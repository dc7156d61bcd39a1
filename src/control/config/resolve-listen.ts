/**
 * Where the proxy listens, and whose word about the client it takes.
 *
 * Addresses are compared as they are written: that two names are one address is for the kernel to say, when the second is bound.
 */
import type { ListenConfig } from '../../model/config.ts';
import { isAddressOrBlock, parseListen } from './addresses.ts';
import type { RawListen } from './raw-config.ts';
import type { RawFile } from './raw-file.ts';
import type { Review } from './review.ts';
import { shown } from './structure.ts';

export function resolveListen(raw: RawFile['listen'], review: Review): ListenConfig[] {
  const list: readonly RawListen[] = Array.isArray(raw) ? raw : [raw as RawListen];
  const seen = new Set<string>();
  return list.flatMap((entry, index) => {
    const place = Array.isArray(raw) ? ['listen', index] : ['listen'];
    const path = typeof entry === 'object' ? [...place, 'address'] : place;
    const parsed = parseListen(typeof entry === 'object' ? entry.address : entry);
    if ('fault' in parsed) {
      review.report(path, parsed.fault);
      return [];
    }
    const { host, port } = parsed.ok;
    const address = `${host} ${port}`;
    // Port 0 asks for any free port, so that two of them are two addresses.
    if (port !== 0 && seen.has(address)) review.report(path, 'is there twice; remove one of the two');
    seen.add(address);
    return [parsed.ok];
  });
}

export function resolveTrusted(raw: readonly string[], review: Review): readonly string[] {
  for (const [index, block] of raw.entries()) {
    if (isAddressOrBlock(block)) continue;
    const message = `must be an address or a CIDR block such as 10.0.0.0/8 or ::1, not ${shown(block)}`;
    review.report(['trustedProxies', index], message);
  }
  return raw;
}

/**
 * Client addresses as they are shown and as they are counted.
 *
 * A dual-stack socket shows IPv4 peers as `::ffff:10.0.0.1`, which is written `10.0.0.1` here so that one client has one name. Counting is by
 * whole address for IPv4 and by /64 for IPv6. X-Forwarded-For is not believed: the admin API knows no trusted proxies.
 */
export function clientAddress(remote: string | undefined): string {
  return (remote ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '').replace(/%.*$/, '');
}

/** What failures are counted by. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.toLowerCase().split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const gap = address.includes('::') ? new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : [];
  return `${[...before, ...gap, ...after].slice(0, 4).join(':')}::/64`;
}

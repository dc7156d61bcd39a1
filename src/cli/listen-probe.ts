/**
 * Is the address free, and if not, what to tell the user.
 *
 * Workers share an address by SO_REUSEPORT, and so would a second Sluice of the same user: it would start without a word and take
 * half of the connections. So each address is bound once without that option before the workers are started, and let go again.
 * Another process may take it in between; then the worker's own failure is told.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ListenConfig } from '../model/config.ts';

/** Rejects with the system's error where an address cannot be bound. */
export async function probeAddresses(addresses: readonly ListenConfig[]): Promise<void> {
  for (const { host, port } of addresses) {
    if (port === 0) continue;
    const server = createServer();
    server.listen({ host, port });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  }
}

/** One line on why an address could not be bound; null where the error is about something else. */
export function listenFailure(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `cannot listen on ${placeOf(error)}: the port is in use`;
    case 'EACCES':
      return `cannot listen on ${placeOf(error)}: permission denied; ports below 1024 need a privilege`;
    case 'EADDRNOTAVAIL':
      return `cannot listen on ${placeOf(error)}: this machine does not have that address`;
    case 'EAFNOSUPPORT':
      return `cannot listen on ${placeOf(error)}: this machine does not have that address family`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot listen: ${error.message}`;
    default:
      return null;
  }
}

/** An error that has crossed from a worker has lost its fields, but its message still ends in the address. */
function placeOf(error: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }): string {
  const { address, port, message } = error;
  if (address === undefined) return /\S+:[0-9]+$/.exec(message)?.[0] ?? 'the address';
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

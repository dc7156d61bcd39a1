/**
 * Is the address taken, and what to tell the user if it is.
 *
 * Workers share an address by SO_REUSEPORT, and so would a second Sluice of the same user: it would start without a word and take
 * half of the connections. So each address is called once before the workers are started, and an answer means that it is taken.
 * Binding it for a moment would be surer and worse: whoever waits for the port to open would take that moment for the start.
 */
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { authority } from '../control/config/addresses.ts';
import type { ListenConfig } from '../model/config.ts';

/** How long an address may take to answer, milliseconds; a local one answers or refuses at once. */
const PATIENCE = 500;

/** Rejects with EADDRINUSE where somebody listens on an address already. */
export async function probeAddresses(addresses: readonly ListenConfig[]): Promise<void> {
  for (const { host, port } of addresses) {
    if (port === 0 || !isOwn(host) || !(await answers(host, port))) continue;
    const error = new Error(`listen EADDRINUSE: address already in use ${authority({ host, port })}`);
    throw Object.assign(error, { code: 'EADDRINUSE', address: host, port });
  }
}

/** Only this machine is called: a file that names another one's address by mistake must not send anything there. */
function isOwn(host: string): boolean {
  if (host === '0.0.0.0' || host === '::' || host === 'localhost' || host.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === host));
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE });
    const settle = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', settle(true));
    socket.once('timeout', settle(false));
    socket.once('error', settle(false));
  });
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
  return authority({ host: address, port: port! });
}

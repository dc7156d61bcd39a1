/**
 * What an idle keep-alive connection costs: resident memory after 2,000 of them, minus before, over 2,000.
 *
 * The proxy is put under load first, so that its code is compiled and its heap has the size it works with; otherwise a growing heap would be
 * charged to the connections. Each connection then sends one small GET, reads the answer and stays. The figure is taken after a pause in
 * which a collector may run. It is a difference of two whole-process sizes: good to about a KiB, and below zero is possible.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Arena, startProxy, startUpstream } from './arena.ts';
import { applyLoad } from './load.ts';
import { treeMemory } from './proc-stat.ts';
import { stop } from './processes.ts';
import type { ProxySetup } from './proxies/proxy-setup.ts';
import { scenarios } from './scenarios.ts';

export const idleConnections = 2000;

export type IdleMemory =
  | { readonly kibPerConnection: number; readonly totalKiB: number; readonly fault: null }
  | { readonly fault: string };

const openingAtOnce = 50;
const settleMs = 1000;
const small = scenarios[0]!;

export async function measureIdleMemory(arena: Arena, proxy: ProxySetup): Promise<IdleMemory> {
  const upstream = await startUpstream(arena, 'static');
  const sockets: Socket[] = [];
  try {
    const { child, port } = await startProxy(arena, proxy, upstream.port);
    try {
      const load = await applyLoad(port, small, 1, arena.pinning.loadCores, arena.directory);
      if (load.fault !== null) return { fault: load.fault };
      await sleep(settleMs / 2);
      const before = treeMemory(child.pid).residentKiB;
      for (let opened = 0; opened < idleConnections; opened += openingAtOnce) {
        sockets.push(...(await Promise.all(Array.from({ length: openingAtOnce }, () => openAndAsk(port)))));
      }
      await sleep(settleMs);
      const open = sockets.filter((socket) => socket.readyState === 'open').length;
      if (open < idleConnections) return { fault: `only ${open} of ${idleConnections} connections stayed open` };
      const totalKiB = treeMemory(child.pid).residentKiB;
      return { kibPerConnection: (totalKiB - before) / idleConnections, totalKiB, fault: null };
    } finally {
      for (const socket of sockets) socket.destroy();
      await stop(child);
    }
  } catch (error) {
    return { fault: (error as Error).message };
  } finally {
    await stop(upstream.child);
  }
}

/** Resolves with the open connection when the whole answer to one GET has come. */
function openAndAsk(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`a connection ${reason}`));
    };
    socket.setEncoding('latin1');
    socket.setTimeout(5000, () => fail('got no answer within 5 s'));
    socket.once('error', (error) => fail(`failed: ${error.message}`));
    socket.on('close', () => fail('was closed'));
    socket.on('data', (part) => {
      answer += part;
      const head = answer.indexOf('\r\n\r\n');
      if (head === -1 || answer.length < head + 4 + small.responseBytes) return;
      if (!answer.startsWith('HTTP/1.1 200')) fail(`was answered with ${answer.slice(0, 40)}`);
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.write(`GET ${small.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  });
}

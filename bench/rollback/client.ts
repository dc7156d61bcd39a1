/**
 * A program: the users. Requests at a given rate over a given number of keep-alive connections, each answer counted by status and version.
 *
 * Requests are due by the clock and not by the answers before them (open loop); one that finds no connection free waits for one, and more than
 * BACKLOG may not wait. Nothing is forgiven: an error is any status but 2xx, a connection that is refused or cut, an answer that has not come after
 * PATIENCE. Raw sockets, because an HTTP client would hide some of these by trying again. One request in ten asks for `/checkout`.
 */
import { connect, type Socket } from 'node:net';
import { SeededRandom } from '../../src/runtime/random.ts';
import { type Aim, type ClientOrder, type ClientReport, type Load, type UserError, wall } from './messages.ts';

const TICK = 1;
const BACKLOG = 500;
const PATIENCE = 5_000;
const LATEST = 100;
const BODY = 'x=1';

const random = new SeededRandom(7);
let load: Load | null = null;
let aim: Aim | null = null;
let began = 0;
let made = 0;
let skipped = 0;
let waiting = 0;
let inFlight = 0;
let stopped = false;
let errors = 0;
let latest: UserError[] = [];
const answers: Record<string, number> = {};
const idle: Connection[] = [];
let connected = 0;

function fault(kind: string, version: string): void {
  errors++;
  latest = [...latest.slice(-(LATEST - 1)), { at: wall(), kind, version }];
}

function headOf({ service, method, users }: Aim): string {
  const path = made % 10 === 9 ? 'checkout' : `item/${made}`;
  const nth = users === null ? 0 : Math.floor(random.next() * users.count);
  const user = users === null ? '' : `X-User-Id: ${nth < users.bad ? 'bad' : 'user'}-${users.prefix}-${nth}\r\n`;
  const body = method === 'POST' ? `Content-Length: ${BODY.length}\r\n\r\n${BODY}` : '\r\n';
  return `${method} /${service}/${path} HTTP/1.1\r\nHost: shop\r\n${user}${body}`;
}

class Connection {
  #socket!: Socket;
  #busy = false;
  #text = '';
  #late: NodeJS.Timeout | null = null;

  constructor() {
    this.#open();
  }

  #open(): void {
    const socket = connect(load!.port, '127.0.0.1');
    socket.setNoDelay(true);
    this.#socket = socket;
    let established = false;
    socket.on('connect', () => {
      established = true;
      connected++;
      idle.push(this);
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')));
    socket.on('error', () => {
      if (!established) fault('connect', '');
    });
    socket.on('close', () => {
      if (this.#busy) this.#over('cut', '');
      const at = idle.indexOf(this);
      if (at >= 0) idle.splice(at, 1);
      if (!stopped) setTimeout(() => this.#open(), 2);
    });
  }

  send(): void {
    this.#busy = true;
    this.#text = '';
    this.#late = setTimeout(() => {
      this.#over('timeout', '');
      this.#socket.destroy();
    }, PATIENCE);
    this.#socket.write(headOf(aim!), 'latin1');
    made++;
    inFlight++;
  }

  #read(text: string): void {
    if (!this.#busy) return fault('unasked', '');
    this.#text += text;
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#text.slice(0, headEnd + 2);
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
    if (length !== undefined && this.#text.length < headEnd + 4 + Number(length)) return;
    const status = head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
    const version = /\r\nx-sluice-version: *([^\r]*)\r\n/i.exec(head)?.[1] ?? '';
    const named = `${status} ${version}`;
    answers[named] = (answers[named] ?? 0) + 1;
    this.#over(status.startsWith('2') ? null : status, version);
    if (!this.#socket.destroyed) idle.push(this);
  }

  #over(kind: string | null, version: string): void {
    this.#busy = false;
    if (this.#late !== null) clearTimeout(this.#late);
    inFlight--;
    if (kind !== null) fault(kind, version);
  }
}

function tick(): void {
  if (!stopped) {
    const wanted = Math.floor(((performance.now() - began) * load!.rate) / 1_000);
    for (let due = wanted - made - waiting - skipped; due > 0; due--) {
      if (waiting < BACKLOG) waiting++;
      else skipped++;
    }
  }
  for (; waiting > 0 && idle.length > 0; waiting--) idle.shift()!.send();
}

function start(order: Load): void {
  load = order;
  aim = order.aim;
  for (let i = 0; i < load.connections; i++) new Connection();
  const connecting = setInterval(() => {
    if (connected < order.connections) return;
    clearInterval(connecting);
    began = performance.now();
    setInterval(tick, TICK);
  }, TICK);
}

const report = (): ClientReport => ({ made, open: inFlight + waiting, skipped, answers, errors, latest });

process.on('message', (order: ClientOrder) => {
  switch (order.type) {
    case 'start':
      return start(order.load);
    case 'aim':
      aim = order.aim;
      break;
    case 'stop':
      stopped = true;
      waiting = 0;
      break;
    case 'report':
      break;
  }
  process.send?.(report());
});
process.on('disconnect', () => process.exit());

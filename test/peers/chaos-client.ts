/**
 * A program: the user of the chaos tests. GETs or PUTs at a given rate over a given number of keep-alive connections.
 *
 * Requests are due by the clock, not by the answers before them (open loop). One that finds no connection free waits for one, and its latency
 * counts from when it was due, so that a proxy which hangs for a second is seen by everybody who came in that second. More than
 * BACKLOG may not wait: what is due beyond that is skipped and counted as such, for a test wants a bounded number of requests in flight.
 *
 * Nothing is forgiven. An error is: a status that is not 2xx, a connection that is refused, cut or closed, an answer that does not parse
 * or has more bytes than it says, and one that does not bear the hash of the body that was sent. Raw sockets, because an HTTP client
 * would hide some of these.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { ClientOrder, ClientReport, Latency, Load } from './chaos-messages.ts';
import { seededBytes } from './origin.ts';

const TICK = 2;
const BACKLOG = 200;
const BODIES = 16;

let load: Load | null = null;
let began = 0;
let made = 0;
let skipped = 0;
let stopped = false;
const due: number[] = [];
const answers: Record<string, number> = {};
const errors: Record<string, number> = {};
let latencies: number[] = [];
let bodies: { readonly bytes: Buffer; readonly hash: string }[] = [];
const idle: Connection[] = [];
let connected = 0;
let inFlight = 0;

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

class Connection {
  #socket: Socket | null = null;
  #busy = false;
  #dueAt = 0;
  #hash = '';
  #text = '';

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
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!established) count(errors, `connect ${error.code}`);
    });
    socket.on('close', () => {
      if (stopped && !this.#busy) return;
      if (this.#busy) this.#over(`cut after ${this.#text.length > 0 ? 'a part of' : 'no byte of'} the answer`);
      else if (established) count(errors, 'closed while idle');
      const at = idle.indexOf(this);
      if (at >= 0) idle.splice(at, 1);
      setTimeout(() => this.#open(), TICK);
    });
  }

  send(dueAt: number): void {
    const { method, targets } = load!;
    const target = targets[made % targets.length]!.replace('*', String(made));
    const body = method === 'PUT' ? bodies[made % BODIES]! : null;
    this.#busy = true;
    this.#dueAt = dueAt;
    this.#text = '';
    this.#hash = body?.hash ?? '';
    made++;
    inFlight++;
    const head = `${method} ${target} HTTP/1.1\r\nHost: shop\r\n`;
    if (body === null) this.#socket!.write(`${head}\r\n`);
    else {
      this.#socket!.cork();
      this.#socket!.write(`${head}Content-Length: ${body.bytes.length}\r\nX-SHA256: ${body.hash}\r\n\r\n`);
      this.#socket!.write(body.bytes);
      this.#socket!.uncork();
    }
  }

  #read(text: string): void {
    if (!this.#busy) return count(errors, 'bytes that nobody asked for');
    this.#text += text;
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(this.#text.slice(0, headEnd + 2))?.[1];
    const end = headEnd + 4 + Number(length ?? 0);
    if (this.#text.length < end) return;
    this.#over(this.#judge(headEnd + 4, end, length));
    if (!this.#socket!.destroyed) idle.push(this);
  }

  /** @returns what is wrong with the answer, or null. */
  #judge(bodyStart: number, end: number, length: string | undefined): string | null {
    const status = this.#text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
    const flag = /proxy-status:.*details="(\w+)"/i.exec(this.#text)?.[1];
    if (status[0] !== '2') return `status ${status}${flag === undefined ? ' of the upstream' : ` ${flag}`}`;
    if (length === undefined) return 'no length';
    if (this.#text.length > end) return 'more bytes than announced';
    const [name = '', hash] = this.#text.slice(bodyStart, end).split(' ');
    if (hash !== this.#hash) return 'another body';
    count(answers, name);
    return null;
  }

  #over(fault: string | null): void {
    this.#busy = false;
    inFlight--;
    if (fault === null) latencies.push(performance.now() - this.#dueAt);
    else count(errors, fault);
  }
}

function tick(): void {
  const now = performance.now();
  if (!stopped) {
    const wanted = Math.floor(((now - began) * load!.rate) / 1_000);
    for (let nth = made + due.length + skipped; nth < wanted; nth++) {
      if (due.length < BACKLOG) due.push(began + (nth * 1_000) / load!.rate);
      else skipped++;
    }
  }
  while (due.length > 0 && idle.length > 0) idle.shift()!.send(due.shift()!);
}

function start(): void {
  bodies = Array.from({ length: BODIES }, (_, seed) => {
    const bytes = seededBytes(load!.bodyBytes, seed);
    return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
  });
  for (let i = 0; i < load!.connections; i++) new Connection();
  const waiting = setInterval(() => {
    if (connected < load!.connections) return;
    clearInterval(waiting);
    began = performance.now();
    setInterval(tick, TICK);
  }, TICK);
}

function report(): ClientReport {
  const elapsed = began === 0 ? 0 : performance.now() - began;
  return { elapsed, made, inFlight: inFlight + due.length, skipped, answers, errors };
}

function latency(): Latency {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  latencies = [];
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

process.on('message', (order: ClientOrder) => {
  switch (order.type) {
    case 'start':
      load = order.load;
      return start();
    case 'stop':
      stopped = true;
      return;
    case 'report':
      return void process.send?.(report());
    case 'latency':
      return void process.send?.(latency());
  }
});
process.on('disconnect', () => process.exit());

/**
 * The router with everything on, under fire: clients and upstreams that misbehave, endpoints that come and go, and new configurations at any
 * moment.
 *
 * What must hold whatever happens: a client gets valid answers in the order of its requests, each whole and its own, or a connection that is cut;
 * a request that is not idempotent reaches an upstream once; bodies arrive whole or visibly cut; nobody waits for ever.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import {
  clearFlag,
  DISABLED,
  DRAINING,
  EJECTED,
  endpointRow,
  FLAGS,
  setFlag,
  UNHEALTHY,
} from '../../src/model/endpoint-table.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { value } from '../kit/message.ts';
import type { TestProxy } from '../kit/proxy.ts';
import type { Answer, RawClient } from '../kit/raw-client.ts';
import { show, turns } from '../kit/signal.ts';
import { Dice } from './dice.ts';
import { type Addresses, randomConfig } from './router-config.ts';
import { bodyOf, type RouterUpstreams } from './router-upstream.ts';

/** Much more than all timeouts of the requests of one client in a row. */
const STUCK = 15_000;
const PATHS = ['/plain', '/plain', '/plain', '/rewritten/x', '/limited', '/faulty', '/faulty', '/reply', '/redirect'];
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE'];
const ENDS = ['read', 'read', 'read', 'read', 'read', 'reset', 'fin', 'destroy', 'late-reset', 'stop-reading'] as const;
const MOST_REQUESTS = 4;

interface Asked {
  readonly id: number;
  readonly method: string;
  readonly text: string;
  readonly upgrade: boolean;
  /** Whether it is of HTTP/1.0, where an answer may end with its connection. */
  readonly old: boolean;
}

export class RouterFuzz {
  readonly outcomes = new Map<string, number>();
  readonly faults: string[] = [];
  readonly #seed: number;
  readonly #urls: Addresses;
  readonly #upstreams: RouterUpstreams;
  #generation = 1;

  constructor(seed: number, urls: Addresses, upstreams: RouterUpstreams) {
    this.#seed = seed;
    this.#urls = urls;
    this.#upstreams = upstreams;
  }

  /** The configuration of the next generation. */
  next(dice: Dice, previous?: Snapshot): Snapshot {
    const config = parseConfig(randomConfig(dice, this.#urls), 'fuzz.yaml', {});
    return compileSnapshot(config, this.#generation++, previous);
  }

  /** Something changes under everybody's feet. */
  disturb({ plane }: TestProxy, iteration: number): void {
    const dice = new Dice(this.#seed ^ 0x5bd1e995, iteration);
    if (dice.chance(0.03)) plane.apply(this.next(dice, plane.snapshot));
    const table = plane.memory.endpoints;
    const all = plane.snapshot.services.flatMap(({ versions }) => versions).flatMap(({ endpoints }) => endpoints);
    const { id } = dice.one(all);
    const flag = dice.one([UNHEALTHY, EJECTED, DRAINING, DISABLED]);
    if (dice.chance(0.1)) setFlag(table, id, flag);
    if (!dice.chance(0.3)) return;
    for (const endpoint of all) {
      if (dice.chance(0.7))
        for (const bit of [UNHEALTHY, EJECTED, DRAINING, DISABLED]) clearFlag(table, endpoint.id, bit);
    }
  }

  /** Everybody is well again. */
  heal({ plane }: TestProxy): void {
    const table = plane.memory.endpoints;
    for (const { versions } of plane.snapshot.services)
      for (const { endpoints } of versions)
        for (const { id } of endpoints) clearFlag(table, id, table[endpointRow(id) + FLAGS]!);
  }

  #note(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #request(dice: Dice, id: number, last: boolean): Asked {
    const upgrade = last && dice.chance(0.05);
    const method = upgrade ? 'GET' : dice.one(METHODS);
    const length = method === 'POST' || method === 'PUT' ? dice.one([0, 10, 900, 5_000, 40_000, 200_000]) : 0;
    const old = last && !upgrade && length === 0 && dice.chance(0.1);
    const lines = [
      `${method} ${dice.one(PATHS)} HTTP/1.${old ? 0 : 1}`,
      'Host: a',
      `X-Id: ${id}`,
      `X-Length: ${length}`,
    ];
    lines.push('X-Secret: yes', `X-User: ${dice.below(50)}`, `X-Split: ${dice.one(['a', 'b', 'c'])}`);
    lines.push(`X-Match-${dice.below(40)}: yes`);
    if (dice.chance(0.3)) lines.push(`Cookie: sid=${dice.below(30)}`);
    if (dice.chance(0.2)) lines.push(`X-Lane: ${dice.one(['canary', 'stable', 'v1', 'v2', 'nobody'])}`);
    if (upgrade) lines.push('Connection: upgrade', 'Upgrade: echo');
    if (last && dice.chance(0.1)) lines.push('Connection: close');
    if (length > 0 && dice.chance(0.1)) lines.push('Expect: 100-continue');
    const body = bodyOf(id, length);
    if (length > 0 && dice.chance(0.4)) {
      lines.push('Transfer-Encoding: chunked');
      const half = dice.below(length - 1) + 1;
      const chunks = [body.slice(0, half), body.slice(half)].map(
        (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
      );
      return {
        id,
        method,
        upgrade,
        old,
        text: `${lines.join('\r\n')}\r\n\r\n${chunks.join('')}0\r\nX-Late: ${id}\r\n\r\n`,
      };
    }
    if (length > 0) lines.push(`Content-Length: ${length}`);
    return { id, method, upgrade, old, text: `${lines.join('\r\n')}\r\n\r\n${body}` };
  }

  async play(proxy: TestProxy, iteration: number): Promise<void> {
    const dice = new Dice(this.#seed, iteration);
    this.disturb(proxy, iteration);
    const count = 1 + dice.below(MOST_REQUESTS);
    const asked = Array.from({ length: count }, (_, i) =>
      this.#request(dice, iteration * MOST_REQUESTS + i, i === count - 1),
    );
    const end = dice.one(ENDS);
    const text = asked.map((request) => request.text).join('');
    const sent = end === 'read' || dice.chance(0.4) ? text : text.slice(0, dice.below(text.length));
    const client = await proxy.connect();
    if (end === 'stop-reading') client.socket.pause();
    await client.writeParts(dice.parts(sent, 6), dice.below(6));
    await this.#misbehave(client, end, dice);
    await this.#finish(client, asked, end);
    client.destroy();
    for (const { id } of asked) setTimeout(() => this.#upstreams.forget(id), 3_000).unref();
  }

  async #misbehave(client: RawClient, end: (typeof ENDS)[number], dice: Dice): Promise<void> {
    await turns(dice.below(6));
    if (end === 'reset' || end === 'fin' || end === 'destroy') client[end]();
    if (end === 'late-reset') {
      await Promise.race([client.signal.wait('a byte', () => client.bytes > 0 || client.over), sleep(100)]).catch(
        () => {},
      );
      client.reset();
    }
    if (end === 'stop-reading') {
      await sleep(600);
      client.socket.resume();
    }
  }

  async #finish(client: RawClient, asked: readonly Asked[], end: string): Promise<void> {
    const methods = asked.map(({ method }) => method);
    const read = () => client.transcript(methods);
    const enough = () =>
      client.over || client.socket.destroyed || (end === 'read' && read().answers.length >= asked.length);
    try {
      await client.signal.wait('the end', enough, STUCK);
    } catch {
      this.#note('STUCK');
      this.faults.push(
        `stuck (${end}): ${asked.map(({ text }) => show(text, 300)).join(' and ')} got ${show(client.text)}`,
      );
      return;
    }
    const { answers, bad, rest } = read();
    const fault = bad ?? this.#wrong(answers, asked, rest, client.error !== null);
    if (fault !== null)
      this.faults.push(
        `${fault}: ${asked.map(({ text }) => show(text, 300)).join(' and ')} got ${show(client.text, 1500)}`,
      );
    for (const answer of answers) this.#note(`${end}: ${answer.status}${value(answer, 'x-id') === null ? ' own' : ''}`);
    if (answers.length < asked.length) this.#note(`${end}: ${asked.length - answers.length} without an answer`);
  }

  /** What is wrong with valid answers. @param reset whether the connection ended so that nobody takes what came for whole. */
  #wrong(answers: readonly Answer[], asked: readonly Asked[], rest: string, reset: boolean): string | null {
    if (answers.length > asked.length) return 'more answers than requests';
    for (const [i, answer] of answers.entries()) {
      const { id, method, upgrade, old } = asked[i]!;
      const own = value(answer, 'x-id');
      if (value(answer, 'x-leak') !== null) return `answer ${i} has a field that its route removes`;
      if (own === null) {
        const local =
          value(answer, 'proxy-status') !== null ||
          answer.body === 'fixed' ||
          method === 'HEAD' ||
          answer.status === 302;
        if (!local) return `answer ${i} is nobody's`;
        continue;
      }
      if (own !== String(id)) return `answer ${i} belongs to request ${own}`;
      if (answer.status === 101 && (!upgrade || rest !== '')) return `answer ${i} is a tunnel that nobody asked for`;
      const bodiless = method === 'HEAD' || answer.status === 101 || answer.status === 204 || answer.status === 304;
      const whole = bodiless ? '' : bodyOf(id, Number(value(answer, 'x-length')));
      if (old && answer.interim.length > 0) return `answer ${i} follows an interim one, which HTTP/1.0 does not know`;
      if (old && reset && whole.startsWith(answer.body)) continue;
      if (answer.body !== whole) return `answer ${i} has ${answer.body.length} bytes of another body`;
      if (answer.trailers.some(([name, late]) => name === 'X-Late' && late !== String(id)))
        return 'trailers of another';
    }
    return null;
  }
}

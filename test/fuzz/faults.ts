/**
 * Resets, FINs and stalls at random states of the protocol, on both sides at once.
 *
 * A stalled client is not helped: the proxy's own timeouts, which are short here, must end it. One that is still connected long after
 * them is `stuck`, and that is a failure of the run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProxy } from '../kit/proxy.ts';
import type { RawClient } from '../kit/raw-client.ts';
import type { Behaviour, UpstreamConnection } from '../kit/raw-upstream.ts';
import { turns } from '../kit/signal.ts';
import { Dice } from './dice.ts';
import { makePlan, type Plan } from './plan.ts';

/** Much more than all timeouts of a request in a row. */
const STUCK = 10_000;

export const SHORT_TIMEOUTS = {
  config: { timeouts: { head: '300ms', bodyIdle: '300ms', keepAlive: '300ms', halfClose: '100ms' } },
  service: {
    timeouts: { connect: '300ms', request: '400ms', response: '300ms', idle: '300ms', tunnel: '400ms' },
    pool: { idle: '300ms' },
  },
} as const;

export class FaultFuzz {
  readonly outcomes = new Map<string, number>();
  readonly stuck: Plan[] = [];
  readonly #plans = new Map<number, Plan>();
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Plays the plan of whatever request arrives; a connection in a hundred is reset as it is accepted. */
  readonly behaviour: Behaviour = async (connection) => {
    const dice = new Dice(this.#seed, -2 - connection.index);
    if (dice.chance(0.01)) return connection.reset();
    connection.signal
      .wait('the end', () => connection.over, 600_000)
      .then(
        // The proxy half-closed or closed: some peers answer with FIN, some leave the rest to the proxy.
        () => (dice.chance(0.5) ? connection.fin() : undefined),
        () => {},
      );
    for (let at = 0; ; ) {
      const plan = await this.#arrival(connection, at);
      if (plan.upstream.trigger === 'request') await connection.request();
      at = connection.text.length;
      await connection.writeParts(plan.upstream.parts);
      switch (plan.upstream.end) {
        case 'keep':
          if (plan.upstream.trigger === 'head') await connection.request();
          break;
        case 'stall':
          return undefined;
        default:
          await turns(dice.below(3));
          return connection[plan.upstream.end]();
      }
    }
  };

  /** The plan that the next head on this connection belongs to. */
  async #arrival(connection: UpstreamConnection, from: number): Promise<Plan> {
    const next = () => /\/plan\/(\d+) HTTP/.exec(connection.text.slice(from));
    await connection.signal.wait('a head', () => next() !== null || connection.over, 600_000);
    const plan = this.#plans.get(Number(next()?.[1] ?? -1));
    // The connection is over or carries something that nobody planned, which the judges of the run will see.
    return plan ?? { id: -1, client: { parts: [], end: 'read', method: 'GET' }, upstream: OVER };
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  async play(proxy: TestProxy, iteration: number): Promise<void> {
    const dice = new Dice(this.#seed, iteration);
    const plan = makePlan(dice, iteration);
    this.#plans.set(iteration, plan);
    const client = await proxy.connect();
    const { end, parts } = plan.client;
    if (end === 'stop-reading') client.socket.pause();
    await client.writeParts(parts);
    await turns(dice.below(4));
    if (end === 'reset' || end === 'fin' || end === 'destroy') client[end]();
    if (end === 'late-reset') {
      await Promise.race([client.signal.wait('a byte', () => client.bytes > 0 || client.over), sleep(200)]).catch(
        () => {},
      );
      client.reset();
    }
    if (end === 'stop-reading') {
      // Bytes that wait in the kernel hide the end from a socket that does not read, so it looks again after a while.
      await sleep(700);
      client.socket.resume();
    }
    this.#count(await this.#ending(client, plan));
    client.destroy();
    this.#plans.delete(iteration);
  }

  async #ending(client: RawClient, plan: Plan): Promise<string> {
    const { end, method } = plan.client;
    const methods = [method, method, method];
    const finished = () =>
      client.over || client.socket.destroyed || (end === 'read' && client.transcript(methods).answers.length > 0);
    try {
      await client.signal.wait('the end', finished, STUCK);
    } catch {
      this.stuck.push(plan);
      return 'STUCK';
    }
    const read = client.transcript(methods);
    const said =
      read.bad === null ? (read.answers[0]?.status ?? (read.cut ? 'cut' : 'nothing')) : `INVALID ${read.bad}`;
    return `${end}: ${said}`;
  }
}

const OVER: Plan['upstream'] = { trigger: 'head', parts: [], end: 'destroy' };

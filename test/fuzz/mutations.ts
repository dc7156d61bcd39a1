/**
 * Corpus messages with a few bytes changed.
 *
 * Nobody knows what the answer to a mutant should be, but three things hold for each: what reaches the upstream is a valid request, what
 * reaches the client is a valid response, and packet boundaries make no difference to the statuses.
 */
import { response } from '../kit/behaviours.ts';
import type { TestProxy } from '../kit/proxy.ts';
import type { RawClient } from '../kit/raw-client.ts';
import type { Behaviour, RawUpstream } from '../kit/raw-upstream.ts';
import { show, turns } from '../kit/signal.ts';
import { malformedFraming } from '../wire/corpus/malformed-framing.ts';
import {
  malformedConnections,
  malformedFields,
  malformedHosts,
  malformedLines,
} from '../wire/corpus/malformed-requests.ts';
import { malformedBodies, malformedResponses } from '../wire/corpus/malformed-responses.ts';
import { validRequests } from '../wire/corpus/valid-requests.ts';
import { validResponses } from '../wire/corpus/valid-responses.ts';
import { Dice } from './dice.ts';

const malformed = [malformedLines, malformedFields, malformedHosts, malformedConnections, malformedFraming].flat();
const requests = [...validRequests, ...validRequests, ...validRequests, ...malformed].map((entry) => entry.send);
const answers = [...validResponses, ...validResponses, ...malformedResponses, ...malformedBodies].map(
  (entry) => entry.answer,
);

const SPICE = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '0',
  'a',
  '\x7f',
  '\xff',
  'chunked',
  'Content-Length: 3\r\n',
  '\r\n\r\n',
];

function mutate(dice: Dice, text: string): string {
  let mutant = text;
  for (let rounds = 1 + dice.below(3); rounds > 0; rounds--) {
    const at = dice.below(mutant.length + 1);
    const length = 1 + dice.below(6);
    const before = mutant.slice(0, at);
    const after = mutant.slice(at);
    switch (dice.below(5)) {
      case 0:
        mutant = before + String.fromCharCode(dice.below(256)) + after.slice(1);
        break;
      case 1:
        mutant = before + dice.one(SPICE) + after;
        break;
      case 2:
        mutant = before + after.slice(length);
        break;
      case 3:
        mutant = before + after.slice(0, length).repeat(2) + after.slice(length);
        break;
      default:
        mutant = before + mutant.slice(dice.below(mutant.length + 1)).slice(0, 20) + after;
    }
  }
  return mutant;
}

export class MutationFuzz {
  readonly outcomes = new Map<string, number>();
  readonly faults: string[] = [];
  readonly #answers = new Map<number, readonly string[]>();
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A mutated answer for `/mutant/N`, a plain one for everything else; FIN after each mutant, so that nothing waits. */
  readonly behaviour: Behaviour = async (connection) => {
    for (;;) {
      const request = await connection.request();
      const id = /^\/mutant\/(\d+)$/.exec(request.target)?.[1];
      const parts = id === undefined ? undefined : this.#answers.get(Number(id));
      if (parts === undefined) {
        const text = response(200, 'ok');
        connection.write(request.method === 'HEAD' ? text.slice(0, -2) : text);
        continue;
      }
      await connection.writeParts(parts);
      return connection.fin();
    }
  };

  #note(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  async #deliver(proxy: TestProxy, parts: readonly string[]): Promise<RawClient> {
    const client = await proxy.connect();
    await client.writeParts(parts);
    // FIN comes when the answers have, so that when it arrives cannot make a difference.
    for (let before = -1; before !== client.bytes; ) {
      before = client.bytes;
      await turns(25);
    }
    client.fin();
    await client.untilOver();
    client.destroy();
    return client;
  }

  async playRequest(proxy: TestProxy, iteration: number): Promise<void> {
    const dice = new Dice(this.#seed, iteration);
    // A refusal may wait for the end of the line that it is about, so every mutant ends one.
    const mutant = `${mutate(dice, dice.one(requests))}\r\n`;
    const parts = dice.parts(mutant, 8);
    const statuses: string[] = [];
    for (const delivery of [[mutant], parts]) {
      const { text } = await this.#deliver(proxy, delivery);
      statuses.push([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => match[1]).join(' ') || 'none');
    }
    this.#note(`request: ${statuses[0]}`);
    if (statuses[0] !== statuses[1]) {
      const how = parts.map((part) => part.length).join('+');
      this.faults.push(
        `#${iteration}: whole → ${statuses[0]}, in parts of ${how} → ${statuses[1]}: ${show(mutant, 2000)}`,
      );
    }
  }

  async playResponse(proxy: TestProxy, iteration: number): Promise<void> {
    const dice = new Dice(this.#seed, iteration);
    const mutant = mutate(dice, dice.one(answers));
    this.#answers.set(iteration, dice.parts(mutant, 8));
    const client = await this.#deliver(proxy, [`GET /mutant/${iteration} HTTP/1.1\r\nHost: a\r\n\r\n`]);
    this.#answers.delete(iteration);
    const read = client.transcript();
    this.#note(`response: ${read.answers[0]?.status ?? (read.cut ? 'cut' : 'nothing')}`);
    if (read.bad !== null || (read.rest !== '') !== read.cut || read.answers.length > 1) {
      this.faults.push(
        `#${iteration}: ${read.bad ?? 'more than one answer'}: ${show(client.text)} from ${show(mutant, 2000)}`,
      );
    }
  }

  /** To be called while connections are remembered: their bytes are judged by the kit's strict reader as they come. */
  judgeUpstream(upstream: RawUpstream): void {
    for (const connection of upstream.connections) {
      if (connection.bad !== null) this.faults.push(`upstream got ${connection.bad}: ${show(connection.text, 2000)}`);
    }
  }
}

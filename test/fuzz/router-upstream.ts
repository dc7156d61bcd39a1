/**
 * Upstreams that do anything but behave, and remember what reached them.
 *
 * What an upstream does with a request depends on the request's number and on how often it has been tried, so the same seed gives the same
 * script whoever is asked. Every answer tells which request it belongs to. An upstream never writes a second answer in a packet of its own:
 * on a kept connection nobody could tell it from the answer to the next request.
 */
import { response } from '../kit/behaviours.ts';
import { readRequest, value } from '../kit/message.ts';
import type { Behaviour, UpstreamConnection } from '../kit/raw-upstream.ts';
import { show, turns } from '../kit/signal.ts';
import { Dice } from './dice.ts';

/** Most requests on one connection; reading goes over all of its bytes again and again. */
const MOST_ON_CONNECTION = 30;
/** More attempts than any configuration allows, connections found stale among them. */
const MOST_ATTEMPTS = 16;
const REPEATABLE = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'];

/** A body that tells whose it is and is not whole when a byte is missing. */
export const bodyOf = (id: number, length: number): string => {
  const unit = `${id}.`;
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
};

export class RouterUpstreams {
  readonly faults: string[] = [];
  readonly actions = new Map<string, number>();
  readonly #seed: number;
  /** How often each request has reached an upstream. */
  readonly #reached = new Map<number, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  forget(id: number): void {
    this.#reached.delete(id);
  }

  readonly behaviour: Behaviour = async (connection) => {
    if (new Dice(this.#seed, -7 - connection.index).chance(0.01)) return connection.reset();
    const gone = (): boolean => connection.over;
    connection.signal.wait('the end', gone, 600_000).then(
      () => connection.fin(),
      () => {},
    );
    let at = 0;
    for (let count = 0; count < MOST_ON_CONNECTION; count++) {
      await connection.signal.wait('a head', () => gone() || connection.text.indexOf('\r\n\r\n', at) > 0, 600_000);
      const head = connection.text.slice(at, connection.text.indexOf('\r\n\r\n', at) + 4);
      if (head === '' || !connection.text.startsWith(head, at)) return undefined;
      const id = Number(/^x-id: (\d+)$/im.exec(head)?.[1] ?? -1);
      const stays = await this.#serve(connection, at, id, head);
      if (!stays) return undefined;
      const whole = await this.#whole(connection, at);
      if (whole < 0) return undefined;
      at = whole;
    }
    return connection.fin();
  };

  #fault(text: string): void {
    if (this.faults.length < 20) this.faults.push(text);
  }

  /** Counts the attempt. @returns the number of attempts before it. */
  #count(id: number, method: string, head: string): number {
    const before = this.#reached.get(id) ?? 0;
    this.#reached.set(id, before + 1);
    if (before > 0 && !REPEATABLE.includes(method))
      this.#fault(`request ${id} reached an upstream again: ${show(head)}`);
    if (before > MOST_ATTEMPTS) this.#fault(`request ${id} is tried for ever: ${show(head)}`);
    if (/^x-secret:/im.test(head)) this.#fault(`request ${id} came with a field that its route removes: ${show(head)}`);
    return before;
  }

  /** Waits for the request at `at` to be whole and looks at it. @returns where it ends, -1 where it never did. */
  async #whole(connection: UpstreamConnection, at: number): Promise<number> {
    const read = () => readRequest(connection.text, at);
    await connection.signal.wait('a whole request', () => connection.over || read().state !== 'incomplete', 600_000);
    const request = read();
    if (request.state === 'bad') this.#fault(`upstream got ${request.why}: ${show(connection.text.slice(at))}`);
    if (request.state !== 'complete') return -1;
    const id = Number(value(request.message, 'x-id'));
    const length = Number(value(request.message, 'x-length') ?? 0);
    if (request.message.body !== bodyOf(id, length)) {
      this.#fault(`request ${id} came with another body of ${request.message.body.length} instead of ${length} bytes`);
    }
    return request.end;
  }

  /** @returns whether the connection goes on. */
  async #serve(connection: UpstreamConnection, at: number, id: number, head: string): Promise<boolean> {
    const method = head.slice(0, head.indexOf(' '));
    const attempt = this.#count(id, method, head);
    const dice = new Dice(this.#seed ^ Math.imul(id + 1, 0x9e3779b1), attempt);
    const early = dice.chance(0.1);
    if (!early && (await this.#whole(connection, at)) < 0) return false;
    const action = dice.one(ACTIONS);
    const name = `${action.name}${early ? ' early' : ''}`;
    this.actions.set(name, (this.actions.get(name) ?? 0) + 1);
    if (dice.chance(0.2)) await new Promise((resolve) => setTimeout(resolve, dice.below(40)));
    if (dice.chance(0.1)) connection.write(dice.one(INTERIM));
    return action({ connection, dice, id, head, text: answer(dice, id, method) });
  }
}

interface Scene {
  readonly connection: UpstreamConnection;
  readonly dice: Dice;
  readonly id: number;
  readonly head: string;
  /** A good answer. */
  readonly text: string;
}

/** @returns whether the connection goes on. */
type Action = (scene: Scene) => boolean | Promise<boolean>;

const INTERIM = ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(2)];

function answer(
  dice: Dice,
  id: number,
  method: string,
  status = dice.one([200, 200, 200, 201, 404, 204, 304]),
): string {
  const length = dice.one([0, 20, 20, 3_000, 70_000, 300_000]);
  const body = bodyOf(id, length);
  const own = { 'X-Id': String(id), 'X-Length': String(length), 'X-Leak': 'yes' };
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  const chunks = `${length.toString(16)}\r\n${body}\r\n`;
  const chunked = `${length === 0 ? '' : chunks}0\r\nX-Late: ${id}\r\n\r\n`;
  const text =
    dice.chance(0.4) && status !== 204
      ? response(status, chunked, { ...own, 'Transfer-Encoding': 'chunked' })
      : response(
          status,
          body,
          status === 204 ? { ...own, 'Content-Length': '0' } : { ...own, 'Content-Length': String(length) },
        );
  return bodiless ? text.slice(0, text.indexOf('\r\n\r\n') + 4) : text;
}

const failure = ({ dice, id, head }: Scene): string =>
  answer(dice, id, head.slice(0, head.indexOf(' ')), dice.one([500, 502, 503, 503, 504]));

const good: Action = async ({ connection, dice, text }) => {
  await connection.writeParts(dice.parts(text));
  return true;
};

const fails: Action = async (scene) => {
  await scene.connection.writeParts(scene.dice.parts(failure(scene)));
  return true;
};

const failsAndCloses: Action = async (scene) => {
  scene.connection.write(failure(scene).replace('\r\n', '\r\nConnection: close\r\n'));
  scene.connection.fin();
  return false;
};

const goesAway: Action = ({ connection, dice }) => {
  connection[dice.one(['reset', 'fin', 'destroy'] as const)]();
  return false;
};

const breaksOff: Action = async ({ connection, dice, text }) => {
  await connection.writeParts(dice.parts(text.slice(0, dice.below(text.length))));
  await turns(dice.below(4));
  connection[dice.one(['reset', 'fin', 'destroy'] as const)]();
  return false;
};

const stalls: Action = ({ connection, dice, text }) => {
  if (dice.chance(0.5)) connection.write(text.slice(0, dice.below(text.length)));
  return false;
};

const babbles: Action = ({ connection, dice }) => {
  connection.write(
    dice.one(['nonsense\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '\r\n']),
  );
  return false;
};

const babblesBehindHead: Action = ({ connection, id }) => {
  connection.write(`HTTP/1.1 200 OK\r\nX-Id: ${id}\r\nX-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nnonsense`);
  return false;
};

const answersTwice: Action = ({ connection, id, head }) => {
  const short = head.startsWith('HEAD')
    ? `HTTP/1.1 200 OK\r\nX-Id: ${id}\r\nX-Length: 0\r\nContent-Length: 0\r\n\r\n`
    : response(200, bodyOf(id, 5), { 'X-Id': String(id), 'X-Length': '5', 'Content-Length': '5' });
  connection.write(short + short);
  return false;
};

const endsWithConnection: Action = async ({ connection, dice, id, head }) => {
  const body = head.startsWith('HEAD') ? '' : bodyOf(id, 5_000);
  await connection.writeParts(dice.parts(`HTTP/1.0 200 OK\r\nX-Id: ${id}\r\nX-Length: 5000\r\n\r\n${body}`));
  connection.fin();
  return false;
};

/** Says back whatever comes where a tunnel was asked for; else nobody asked, which is worth a look too. */
const switches: Action = ({ connection, id }) => {
  connection.write(`HTTP/1.1 101 Go\r\nX-Id: ${id}\r\nX-Length: 0\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`);
  connection.onData = (chunk) => connection.write(chunk.toString('latin1'));
  return false;
};

const ACTIONS: readonly Action[] = [
  ...Array<Action>(10).fill(good),
  ...Array<Action>(3).fill(fails),
  failsAndCloses,
  goesAway,
  goesAway,
  breaksOff,
  stalls,
  babbles,
  babblesBehindHead,
  answersTwice,
  endsWithConnection,
  switches,
];

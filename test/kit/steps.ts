/**
 * What an upstream does with one request, and scripts made of such steps.
 *
 * `inTurn` counts the requests of all upstreams that share the script: the first request anywhere gets the first step. So a test says what
 * happens to the first attempt and to the second without knowing which endpoint the proxy will ask first.
 */
import { response } from './behaviours.ts';
import type { RequestMessage } from './message.ts';
import type { Behaviour, UpstreamConnection } from './raw-upstream.ts';
import { turns } from './signal.ts';

export type Step = (connection: UpstreamConnection, request: RequestMessage) => unknown;

/** The head alone where the request was a HEAD. */
export const says =
  (text: string): Step =>
  (connection, request) =>
    connection.write(request.method === 'HEAD' ? text.slice(0, text.indexOf('\r\n\r\n') + 4) : text);

export const answers = (status: number, body = ''): Step => says(response(status, body));
export const resets: Step = (connection) => connection.reset();
export const ends: Step = (connection) => connection.fin();
export const hangs: Step = () => {};
export const babbles: Step = says('nonsense\r\n\r\n');

/** Sends these bytes, lets them be read, and resets. */
export const breaksOffAfter =
  (text: string): Step =>
  async (connection) => {
    connection.write(text);
    await turns(4);
    connection.reset();
  };

/** Step by step through the requests; the last step goes on for ever. */
export function inTurn(...steps: readonly Step[]): Behaviour {
  let count = 0;
  return async (connection) => {
    for (;;) {
      const request = await connection.request();
      const step = steps[Math.min(count++, steps.length - 1)]!;
      await step(connection, request);
    }
  };
}

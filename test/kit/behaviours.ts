/** Scripts for `RawUpstream` that many tests share. */
import type { RequestMessage } from './message.ts';
import type { Behaviour, UpstreamConnection } from './raw-upstream.ts';
import { turns } from './signal.ts';

/** A response as text; the length is counted unless the fields already frame the body. */
export function response(status: number, body = '', fields: Readonly<Record<string, string>> = {}): string {
  const framed = Object.keys(fields).some((name) => /^(content-length|transfer-encoding)$/i.test(name));
  const all = framed ? fields : { ...fields, 'Content-Length': String(body.length) };
  const lines = Object.entries(all).map(([name, text]) => `${name}: ${text}\r\n`);
  return `HTTP/1.1 ${status} Reason\r\n${lines.join('')}\r\n${body}`;
}

export const OK = response(200, 'ok');

/** Answers every whole request on every connection; HEAD gets the head only. */
export function answering(
  answer: string | ((request: RequestMessage, connection: UpstreamConnection) => string) = OK,
): Behaviour {
  return async (connection) => {
    for (;;) {
      const request = await connection.request();
      const text = typeof answer === 'string' ? answer : answer(request, connection);
      connection.write(request.method === 'HEAD' ? text.slice(0, text.indexOf('\r\n\r\n') + 4) : text);
    }
  };
}

/** Answers the first whole request in these packets, then perhaps FIN or RST; waits two turns between packets. */
export function answerOnce(parts: readonly string[], then: 'keep' | 'fin' | 'reset' = 'keep'): Behaviour {
  return async (connection) => {
    await connection.request();
    await connection.writeParts(parts);
    if (then === 'fin') connection.fin();
    if (then === 'reset') {
      // A reset may overtake bytes that the peer has not read, so it is given the turns to read them.
      await turns(4);
      connection.reset();
    }
  };
}

/** Takes everything, says nothing. */
export const silent: Behaviour = () => {};

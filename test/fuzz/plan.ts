/**
 * What one client and its upstream will do: a message, the place where it stops, and what happens there.
 *
 * The client's request carries the number of its plan in the target, so the upstream knows which plan it is part of although
 * connections are shared. Stopping places are drawn over whole messages: in the start line, in a field, between CR and LF, in a chunk
 * size, in a body, after the end.
 */
import type { Dice } from './dice.ts';

/** What an end does when it has written what it will write. */
export const CLIENT_ENDS = ['read', 'read', 'reset', 'fin', 'destroy', 'stall', 'late-reset', 'stop-reading'] as const;
export const UPSTREAM_ENDS = ['keep', 'keep', 'reset', 'fin', 'destroy', 'stall'] as const;
export const TRIGGERS = ['request', 'request', 'request', 'head'] as const;

export interface Plan {
  readonly id: number;
  readonly client: {
    readonly parts: readonly string[];
    readonly end: (typeof CLIENT_ENDS)[number];
    readonly method: string;
  };
  readonly upstream: {
    readonly trigger: (typeof TRIGGERS)[number];
    readonly parts: readonly string[];
    readonly end: (typeof UPSTREAM_ENDS)[number];
  };
}

const BODY = 'abcdefghij'.repeat(40);
const BIG = 'x'.repeat(1_500_000);

const requests: readonly ((target: string) => string)[] = [
  (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  (target) => `HEAD ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (target) => `GET ${target} HTTP/1.0\r\nHost: a\r\n\r\n`,
  (target) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n${BODY}`,
  (target) => `PUT ${target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n${BODY}`,
  (target) =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n${BODY}\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n`,
  (target) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${BIG.length}\r\n\r\n${BIG}`,
  (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\ntunnelled bytes`,
  (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(3),
  (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a b\r\n\r\n`,
  (target) => `POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n`,
];

const answers: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  `HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n${BODY}`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n${BODY}\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n\r\n${BODY}`,
  'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nbytes of the server',
  `HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n${BIG}`,
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more than was announced',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n',
  'nonsense\r\n\r\n',
  'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
];

/** Whole in half of the cases, else cut anywhere. */
function cut(dice: Dice, text: string): string {
  return dice.chance(0.5) ? text : text.slice(0, dice.below(text.length));
}

export function makePlan(dice: Dice, id: number): Plan {
  const text = dice.one(requests)(`/plan/${id}`);
  const sent = cut(dice, text);
  // A plan that only reads must have sent everything, or it would read for ever.
  const end = dice.one(CLIENT_ENDS);
  return {
    id,
    client: { parts: dice.parts(end === 'read' ? text : sent), end, method: text.slice(0, text.indexOf(' ')) },
    upstream: {
      trigger: dice.one(TRIGGERS),
      parts: dice.parts(cut(dice, dice.one(answers))),
      end: dice.one(UPSTREAM_ENDS),
    },
  };
}

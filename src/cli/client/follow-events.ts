/**
 * Events as they happen, over as many connections as it takes.
 *
 *     connecting ──200──▶ reading ──end, error, silence──▶ waiting ──pause──▶ connecting
 *         └─ refused, or not reachable at the first try ──▶ CommandFailure
 *
 * Each connection resumes behind the last number that the server named, so nothing is missed however often the connection breaks. Numbers are not
 * compared: a server that keeps no state begins at 1 again after a restart, and its events are not old ones; where it tells of a gap the user is
 * told, as events are missing then. The pause doubles from the server's
 * `retry` (else half a second) to ten seconds, with up to a third of chance added so that the readers of a restarted server do not come all
 * at once, and begins anew once an event has come. Being refused ends it at any time: a token does not become right by waiting.
 */
import type { SluiceEvent } from '../../control/events/event.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { type AdminClient, pathOf } from './admin-client.ts';
import { EventStreamParser } from './event-stream.ts';
import { CommandFailure, EXIT } from './failure.ts';
import { pause } from './interruption.ts';

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

export interface Following {
  readonly admin: AdminClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Replay from behind this number; null begins now. */
  readonly since: number | null;
  /** As the API takes it; undefined is all. */
  readonly types: string | undefined;
  event(event: SluiceEvent): void;
  /** Events behind number `since` are lost; the oldest that there is has number `from`. */
  gap(since: number, from: number): void;
  /** The connection is gone; told before each pause. @param ms of the pause */
  lost(reason: string, ms: number): void;
}

/** Resolves when the signal comes. @throws CommandFailure */
export async function followEvents(following: Following): Promise<void> {
  const { clock, random, signal } = following;
  const reader = new Reader(following);
  let tries = 0;
  while (!signal.aborted) {
    let reason = 'the server ended the stream';
    try {
      if (await reader.read()) tries = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CommandFailure) || error.exitCode === EXIT.refused || !reader.connected) throw error;
      reason = error.message;
    }
    if (signal.aborted) return;
    const wait = Math.min((reader.retry ?? FIRST_PAUSE) * 2 ** tries, LONGEST_PAUSE) * (1 + random.next() / 3);
    tries += 1;
    following.lost(reason, wait);
    await pause(wait, clock, signal);
  }
}

class Reader {
  /** Whether the server has ever answered. */
  connected = false;
  retry: number | null = null;
  #last: string | null;
  readonly #following: Following;

  constructor(following: Following) {
    this.#following = following;
    this.#last = following.since === null ? null : String(following.since);
  }

  /** One connection. @returns whether an event came. */
  async read(): Promise<boolean> {
    const { admin, signal, types } = this.#following;
    const parser = new EventStreamParser();
    const chunks = await admin.stream(pathOf('events'), { types }, this.#last, signal);
    this.connected = true;
    let came = false;
    for await (const chunk of chunks) {
      for (const { type, data } of parser.push(chunk)) {
        if (type === 'gap') this.#tellGap(parsed<Gap>(data));
        else this.#following.event(parsed<SluiceEvent>(data));
        came = true;
      }
      this.#last = parser.lastId ?? this.#last;
      this.retry = parser.retry ?? this.retry;
    }
    return came;
  }

  /** A server that counts anew is asked for all that it has until it has named a number of its own: else it would tell of the gap each time. */
  #tellGap({ since, from, last }: Gap): void {
    if (since > last) this.#last = '0';
    this.#following.gap(since, from);
  }
}

interface Gap {
  readonly since: number;
  readonly from: number;
  readonly last: number;
}

function parsed<Message>(data: string): Message {
  try {
    return JSON.parse(data) as Message;
  } catch {
    throw new CommandFailure(EXIT.unreachable, 'the server sends events that cannot be read');
  }
}

import t from 'tap';
import { type Connection, LiveStream, type Opened } from '../../src/dashboard/api/live.ts';
import type { LiveState, SluiceEvent } from '../../src/dashboard/api/views.ts';

/** A stream that the test writes. */
class Source {
  readonly opened: Opened;
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  constructor(status = 200) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    this.opened = { ok: status === 200, status, body };
  }

  write(text: string): void {
    this.#controller.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#controller.close();
  }
}

/** Lets everything that waits for nothing but the next turn happen. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

class Stage {
  readonly connections: Connection[] = [];
  readonly states: LiveState[] = [];
  readonly events: SluiceEvent[] = [];
  readonly asked: (string | null)[] = [];
  readonly signals: AbortSignal[] = [];
  readonly stream: LiveStream;
  next: () => Promise<Opened> = () => Promise.reject(new Error('nobody there'));

  constructor() {
    this.stream = new LiveStream({
      open: (lastEventId, signal) => {
        this.asked.push(lastEventId);
        this.signals.push(signal);
        return this.next();
      },
      explain: async ({ status }) => `refused with ${status}`,
      handlers: {
        connection: (connection) => void this.connections.push(connection),
        state: (state) => void this.states.push(state),
        event: (event) => void this.events.push(event),
      },
    });
  }

  answer(source: Source): void {
    this.next = async () => source.opened;
  }

  get last(): Connection['state'] | undefined {
    return this.connections.at(-1)?.state;
  }
}

t.test('states and events, and after a break the stream goes on behind the last event', async (t) => {
  const stage = new Stage();
  t.teardown(() => stage.stream.close());
  const first = new Source();
  stage.answer(first);
  stage.stream.start();
  await settled();
  first.write('retry: 2000\n\nid: 4\n\nevent: state\ndata: {"at":"x"}\n\n');
  first.write('id: 5\nevent: alert\ndata: {"id":5}\n\nevent: gap\ndata: {"from":1}\n\n');
  await settled();
  t.same(stage.states, [{ at: 'x' }]);
  t.same(stage.events, [{ id: 5 }], 'a gap is no event');
  t.equal(stage.last, 'live');
  first.end();
  await settled();
  t.equal(stage.last, 'waiting');
  const second = new Source();
  stage.answer(second);
  stage.stream.hurry();
  await settled();
  t.same(stage.asked, [null, '5']);
  second.write('event: state\ndata: {"at":"y"}\n\n');
  await settled();
  t.equal(stage.last, 'live');
  t.equal(stage.states.length, 2);
});

t.test('pauses grow while nobody answers, and shrink again', async (t) => {
  const stage = new Stage();
  t.teardown(() => stage.stream.close());
  const pause = async (): Promise<number> => {
    await settled();
    const connection = stage.connections.at(-1);
    return connection?.state === 'waiting' ? Math.round((connection.at - Date.now()) / 500) * 500 : -1;
  };
  stage.stream.start();
  const pauses = [await pause()];
  for (let again = 0; again < 5; again++) {
    stage.stream.hurry();
    pauses.push(await pause());
  }
  t.same(pauses, [500, 1000, 2000, 4000, 5000, 5000]);
  const source = new Source();
  stage.answer(source);
  stage.stream.hurry();
  await settled();
  source.write('id: 1\n\n');
  source.end();
  t.equal(await pause(), 500);
});

t.test('a refused token waits for another one, a refused stream does not', async (t) => {
  const stage = new Stage();
  t.teardown(() => stage.stream.close());
  stage.answer(new Source(401));
  stage.stream.start();
  await settled();
  t.equal(stage.last, 'refused');
  stage.answer(new Source(503));
  stage.stream.start();
  await settled();
  t.match(stage.connections.at(-1), { state: 'waiting', reason: 'refused with 503' });
});

t.test('a page that cannot show a state is not a broken connection', async (t) => {
  const stage = new Stage();
  t.teardown(() => stage.stream.close());
  const source = new Source();
  stage.answer(source);
  stage.stream.start();
  await settled();
  source.write('event: state\ndata: {no json\n\nevent: state\ndata: {"at":"z"}\n\n');
  await settled();
  t.same(stage.states, [{ at: 'z' }]);
  t.equal(stage.last, 'live');
});

t.test('starting again gives up what was open', async (t) => {
  const stage = new Stage();
  const first = new Source();
  stage.answer(first);
  stage.stream.start();
  await settled();
  stage.answer(new Source());
  stage.stream.start();
  await settled();
  t.ok(stage.signals[0]?.aborted);
  t.throws(() => first.write('event: state\ndata: {"at":"old"}\n\n'), 'nobody reads it any more');
  await settled();
  t.same(stage.states, []);
  stage.stream.close();
  t.ok(stage.signals[1]?.aborted);
});

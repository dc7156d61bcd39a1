/** `sluice events`: the list, and following over broken connections without a gap. */
import type { ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { type Asked, called, FakeAdmin, problem, type Reply, start } from './client-admin-server.ts';

const CALL = 'GET /api/v1/events';

const event = (id: number, part: Partial<SluiceEvent> = {}): SluiceEvent => ({
  id,
  at: '2026-01-01T12:00:00.000Z',
  type: 'weights.changed',
  level: 'info',
  service: 'demo',
  message: `change ${id}`,
  ...part,
});

const lineOf = (id: number): string =>
  `${String(id).padStart(6)}  2026-01-01 12:00:00  weights.changed  change ${id}\n`;
const frame = (id: number): string => `id: ${id}\nevent: weights.changed\ndata: ${JSON.stringify(event(id))}\n\n`;

t.test('the list', async (t) => {
  const admin = await new FakeAdmin().listen();
  t.teardown(() => admin.close());
  admin.on(CALL, { body: [event(40), event(41, { message: 'a\x1bb', level: 'warning' })] });
  const { code, out } = await called(admin, ['events']);
  t.equal(code, 0);
  t.equal(out, lineOf(40) + lineOf(41).replace('change 41', 'a·b'));
  t.strictSame(admin.last?.query, { limit: '100' });
  t.equal(admin.last?.headers.accept, 'application/json');
  const json = await called(admin, ['events', '--since', '39', '--limit', '5', '--types', 'weights.*', '--json']);
  t.strictSame(admin.last?.query, { since: '39', limit: '5', types: 'weights.*' });
  t.strictSame(
    json.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id),
    [40, 41],
  );
  t.match(await called(admin, ['events', '--since', 'x']), { code: 2 });
  t.match(await called(admin, ['events', '--follow', '--limit', '5']), { code: 2 });
  t.match(await called(admin, ['events', 'x']), { code: 2, err: /unexpected argument "x"/ });
});

/** Following an admin server whose every connection the test answers. */
async function following(t: Test, argv: readonly string[] = []) {
  const admin = await new FakeAdmin().listen();
  t.teardown(() => admin.close());
  const clock = new FakeClock();
  let refusal: Reply | undefined;
  let arrived = Promise.withResolvers<[Asked, ServerResponse]>();
  admin.on(CALL, (asked, response) => {
    const headers = { 'content-type': 'text/event-stream', 'sluice-api': '1' };
    if (refusal === undefined) response.writeHead(200, headers);
    arrived.resolve([asked, response]);
    return refusal;
  });
  let interrupt = (): void => {};
  let grown = Promise.withResolvers<void>();
  const result = { code: -1, out: '', err: '' };
  const shown = (part: 'out' | 'err') => (text: string) => {
    result[part] += text;
    grown.resolve();
    grown = Promise.withResolvers();
  };
  const { ended } = start(
    ['events', '--follow', ...argv],
    {
      clock,
      env: { SLUICE_ADMIN: admin.url },
      out: shown('out'),
      err: shown('err'),
      onInterrupt(listener) {
        interrupt = listener;
        return () => {};
      },
    },
    result,
  );
  return {
    admin,
    ended,
    result,
    interrupt: () => interrupt(),
    refuse(reply: Reply) {
      refusal = reply;
    },
    /** The next connection. */
    async connection() {
      const [asked, response] = await arrived.promise;
      arrived = Promise.withResolvers();
      return { asked, response };
    },
    async until(what: RegExp): Promise<void> {
      while (!what.test(result.out + result.err)) await grown.promise;
    },
    /** Lets the pause pass. */
    async resume(): Promise<void> {
      await new Promise(setImmediate);
      clock.advance(20_000);
    },
  };
}

t.test('a connection that breaks is resumed behind the last event', async (t) => {
  const run = await following(t, ['--types', 'weights.*']);
  const first = await run.connection();
  t.strictSame(first.asked.query, { types: 'weights.*' });
  t.equal(first.asked.headers.accept, 'text/event-stream');
  t.notOk(first.asked.headers['last-event-id'], 'from now on');
  first.response.write(`retry: 2000\n\n${frame(7)}${frame(8)}id: 9\ndata: {"half`);
  await run.until(/change 8/);
  first.response.destroy();
  await run.until(/trying again in/);
  t.match(run.result.err, /^sluice events: no server answers at .*\(connection closed\); trying again in 2\.\d\d s\n$/);
  await run.resume();
  const second = await run.connection();
  t.equal(second.asked.headers['last-event-id'], '8');
  second.response.end(frame(9));
  await run.until(/change 9/);
  await run.until(/the server ended the stream/);
  await run.admin.close();
  await run.resume();
  await run.until(/connection refused/);
  await run.admin.listen();
  await run.resume();
  const third = await run.connection();
  t.equal(third.asked.headers['last-event-id'], '9');
  third.response.write(frame(3));
  await run.until(/change 3/);
  run.interrupt();
  t.match(await run.ended, { code: 0, out: [7, 8, 9, 3].map(lineOf).join('') }, 'a server without memory counts anew');
});

t.test('--since, and a number that comes alone', async (t) => {
  const run = await following(t, ['--since', '120', '--json']);
  const first = await run.connection();
  t.equal(first.asked.headers['last-event-id'], '120');
  first.response.end('id: 130\n\n');
  await run.until(/trying again/);
  await run.resume();
  const second = await run.connection();
  t.equal(second.asked.headers['last-event-id'], '130');
  second.response.write(frame(131));
  await run.until(/change 131/);
  run.interrupt();
  t.match(await run.ended, { code: 0, out: `${JSON.stringify(event(131))}\n` });
});

t.test('a gap is told, and a server that counts anew is asked for all it has', async (t) => {
  const run = await following(t, ['--since', '120']);
  const gap = (since: number, from: number, last: number): string =>
    `event: gap\ndata: ${JSON.stringify({ since, from, last })}\n\n`;
  const first = await run.connection();
  first.response.end(gap(120, 1, 0));
  await run.until(/trying again/);
  t.match(run.result.err, /^sluice events: events behind 120 are lost on the server; it goes on with 1\n/);
  await run.resume();
  const second = await run.connection();
  t.equal(second.asked.headers['last-event-id'], '0');
  second.response.end(`${gap(50, 60, 70)}${frame(60)}`);
  await run.until(/change 60/);
  await run.until(/behind 50 are lost on the server; it goes on with 60\n(.|\n)*trying again/);
  await run.resume();
  const third = await run.connection();
  t.equal(third.asked.headers['last-event-id'], '60');
  third.response.write('data: {"half\n\n');
  await run.until(/the server sends events that cannot be read; trying again/);
  run.interrupt();
  t.match(await run.ended, { code: 0, out: lineOf(60) });
});

t.test('a refusal while resuming ends it, a server that shuts down does not', async (t) => {
  const run = await following(t);
  const first = await run.connection();
  first.response.end(frame(1));
  await run.until(/ended the stream/);
  run.refuse(problem(503, 'Sluice is shutting down.'));
  await run.resume();
  await run.connection();
  await run.until(/shutting down\.; trying again/);
  run.refuse(problem(401, 'This token is not known.'));
  await run.resume();
  t.match(await run.ended, { code: 4, err: /sluice events: This token is not known\.\n/ });
});

t.test('the first connection must succeed', async (t) => {
  const run = await following(t);
  await run.connection();
  run.interrupt();
  t.match(await run.ended, { code: 0, out: '', err: '' });
  const gone = await new FakeAdmin().listen();
  await gone.close();
  t.match(await called(gone, ['events', '--follow']), { code: 3 });
});

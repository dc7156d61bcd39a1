/**
 * Server-sent events through Sluice: each event arrives when it is produced, and whoever leaves is missed at once.
 *
 * The upstream sends an event only after the client has got the one before, so a proxy that holds back a single byte stops the
 * test, however slow or fast the machine is.
 */
import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import t from 'tap';
import { startOrigin } from './origin.ts';
import { configOf, startSluice } from './sluice-process.ts';

t.test('an event stream', async (t) => {
  const opened: ServerResponse[] = [];
  let announce: () => void = () => {};
  const origin = await startOrigin(t, {
    '/events': (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.flushHeaders();
      opened.push(response);
      announce();
    },
  });
  const sluice = await startSluice(t, configOf([origin.url]));

  const subscribe = async (): Promise<[IncomingMessage, ServerResponse]> => {
    const accepted = new Promise<void>((resolve) => {
      announce = resolve;
    });
    const request = get(`${sluice.url}/events`, { agent: false });
    request.on('error', () => {});
    // The head comes before there is any body.
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await accepted;
    const source = opened.at(-1);
    if (source === undefined) throw new Error('no stream at the upstream');
    response.setEncoding('utf8');
    response.on('error', () => {});
    return [response, source];
  };

  t.test('events arrive one by one', async (t) => {
    const [stream, source] = await subscribe();
    t.match(stream.headers['content-type'], 'text/event-stream');
    for (let i = 0; i < 200; i++) {
      const event = `id: ${i}\ndata: ${'x'.repeat(i % 50)}\n\n`;
      let got = '';
      const arrived = new Promise<void>((resolve) => {
        stream.on('data', function collect(chunk: string) {
          got += chunk;
          if (got.length < event.length) return;
          stream.off('data', collect);
          resolve();
        });
      });
      source.write(event);
      await arrived;
      if (got !== event) t.equal(got, event);
    }
    const ended = once(stream, 'end');
    stream.resume();
    source.end();
    await ended;
    t.ok(stream.complete, 'and the end of the stream arrives as an end');
  });

  t.test('a client that leaves closes the upstream request', async () => {
    const [stream, source] = await subscribe();
    source.write('data: 1\n\n');
    await once(stream, 'data');
    const closed = once(source, 'close');
    stream.destroy();
    await closed;
  });

  t.test('an upstream that dies in the middle is not taken for an end', async (t) => {
    const [stream, source] = await subscribe();
    source.write('data: 1\n\n');
    await once(stream, 'data');
    // Node reports the cut as an error before the close, which `once` would throw.
    const closed = new Promise((resolve) => stream.on('close', resolve));
    source.socket?.resetAndDestroy();
    await closed;
    t.notOk(stream.complete);
  });

  t.test('50 streams at a time, all served and all closed', async (t) => {
    const streams: [IncomingMessage, ServerResponse][] = [];
    for (let i = 0; i < 50; i++) streams.push(await subscribe());
    await Promise.all(
      streams.map(async ([stream, source], i) => {
        const arrived = once(stream, 'data');
        source.write(`data: ${i}\n\n`);
        t.equal(String((await arrived)[0]), `data: ${i}\n\n`);
        const closed = once(source, 'close');
        stream.destroy();
        await closed;
      }),
    );
  });

  t.equal(sluice.child.exitCode, null, 'sluice lives');
});

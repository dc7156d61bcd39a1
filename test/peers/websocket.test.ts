/**
 * WebSocket through Sluice, with the `ws` package at both ends: a tunnel must carry every frame, in order, both ways, and its end.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { seededBytes, sha256, startOrigin } from './origin.ts';
import { configOf, startSluice } from './sluice-process.ts';

t.test('ws', async (t) => {
  const origin = await startOrigin(t);
  const wss = new WebSocketServer({
    server: origin.server,
    maxPayload: 64 * 1024 * 1024,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => (offered.has('sluice.v2') ? 'sluice.v2' : false),
    verifyClient: (info: { req: IncomingMessage }) => info.req.url !== '/forbidden',
  });
  wss.on('connection', (socket, request) => {
    // Sent at once, so that it leaves in the same packet as the 101 as often as not.
    socket.send(`welcome to ${request.url}`);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => {});
  });
  t.teardown(() => {
    for (const socket of wss.clients) socket.terminate();
  });
  const sluice = await startSluice(t, configOf([origin.url]));

  /** Both ends of a fresh tunnel; the welcome has arrived. */
  const open = async (
    path: string,
    protocols: string[] = [],
    perMessageDeflate = false,
  ): Promise<[WebSocket, WebSocket]> => {
    const accepted = once(wss, 'connection');
    const client = new WebSocket(`${sluice.url.replace('http', 'ws')}${path}`, protocols, { perMessageDeflate });
    t.teardown(() => client.terminate());
    const [first] = await once(client, 'message');
    t.equal(String(first), `welcome to ${path}`);
    const [server] = await accepted;
    return [client, server];
  };
  const echo = async (client: WebSocket, data: string | Buffer): Promise<[Buffer, boolean]> => {
    const answer = once(client, 'message');
    client.send(data);
    return (await answer) as [Buffer, boolean];
  };

  t.test('text and binary, small and large', async (t) => {
    for (const deflate of [false, true]) {
      const [client] = await open('/echo?x=1', [], deflate);
      t.equal(client.extensions.includes('permessage-deflate'), deflate);
      const [text, textIsBinary] = await echo(client, 'grüße');
      t.equal(text.toString(), 'grüße');
      t.equal(textIsBinary, false);
      const large = seededBytes(1024 * 1024, 4);
      const [binary, binaryIsBinary] = await echo(client, large);
      t.equal(sha256(binary), sha256(large));
      t.equal(binaryIsBinary, true);
      t.equal((await echo(client, ''))[0].length, 0, 'an empty message');
      client.terminate();
    }
  });

  t.test('many messages, in order, both ways at once', async (t) => {
    const [client, server] = await open('/order');
    const count = 500;
    const got: number[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (data) => {
        got.push(Number(String(data)));
        if (got.length === 2 * count) resolve();
      });
    });
    for (let i = 0; i < count; i++) {
      client.send(String(i));
      server.send(String(1000 + i));
    }
    await all;
    const numbers = Array.from({ length: count }, (_, i) => i);
    t.strictSame(
      got.filter((each) => each < 1000),
      numbers,
      'echoed',
    );
    t.strictSame(
      got.filter((each) => each >= 1000),
      numbers.map((each) => each + 1000),
      'pushed',
    );
    client.terminate();
  });

  t.test('ping and pong', async (t) => {
    const [client, server] = await open('/ping');
    const atClient = once(client, 'pong');
    client.ping('from the client');
    t.equal(String((await atClient)[0]), 'from the client');
    const atServer = once(server, 'pong');
    server.ping('from the server');
    t.equal(String((await atServer)[0]), 'from the server');
    client.terminate();
  });

  t.test('subprotocol', async (t) => {
    const [client, server] = await open('/protocol', ['sluice.v1', 'sluice.v2']);
    t.equal(client.protocol, 'sluice.v2');
    t.equal(server.protocol, 'sluice.v2');
    client.terminate();
  });

  t.test('close codes', async (t) => {
    const [client, server] = await open('/close');
    const closed = once(server, 'close');
    client.close(4001, 'enough');
    const [code, reason] = await closed;
    t.strictSame([code, String(reason)], [4001, 'enough'], 'from the client');

    const [other, otherServer] = await open('/close');
    const otherClosed = once(other, 'close');
    otherServer.close(4002, 'going away');
    const [otherCode, otherReason] = await otherClosed;
    t.strictSame([otherCode, String(otherReason)], [4002, 'going away'], 'from the server');
  });

  t.test('an end that dies takes the other with it', async (t) => {
    const [client, server] = await open('/die');
    const closed = once(server, 'close');
    client.terminate();
    t.equal((await closed)[0], 1006, 'the server sees the client go');

    const [other, otherServer] = await open('/die');
    const otherClosed = once(other, 'close');
    otherServer.terminate();
    t.equal((await otherClosed)[0], 1006, 'the client sees the server go');
  });

  t.test('a refused handshake is an ordinary answer', async (t) => {
    const client = new WebSocket(`${sluice.url.replace('http', 'ws')}/forbidden`);
    const [, response] = await once(client, 'unexpected-response');
    t.equal(response.statusCode, 401);
    client.on('error', () => {});
    client.terminate();
  });

  t.equal(sluice.child.exitCode, null, 'sluice lives');
});

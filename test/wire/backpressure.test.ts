/**
 * A reader that stops stops the writer: nobody in between may take the whole body into memory.
 *
 * 64 MiB go through while the receiving end does not read. What the sending end got rid of then sits in kernel buffers and in the
 * proxy, and must be a bounded part; when reading goes on, every byte must come, which a hash proves.
 */
import { createHash, type Hash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import type { RawConnection } from '../kit/connection.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { untilStill } from '../kit/signal.ts';

expectNoSockets(t);

const MIB = 1024 * 1024;
const TOTAL = 64 * MIB;
const MOST = 16 * MIB;
/** Not a divisor of anything that buffers are made of. */
const PIECE = Buffer.alloc(100_003, 'The quick brown fox jumps over the lazy dog. ');

interface Sending {
  accepted: number;
  readonly hash: Hash;
}

/** Writes TOTAL bytes as a well-behaved sender: it waits for `drain`. Chunked framing is put around each piece on demand. */
function send(connection: RawConnection, chunked: boolean): Sending {
  const sending: Sending = { accepted: 0, hash: createHash('sha256') };
  const { socket } = connection;
  const go = () => {
    while (sending.accepted < TOTAL && !socket.destroyed) {
      const piece = PIECE.subarray(0, Math.min(PIECE.length, TOTAL - sending.accepted));
      sending.accepted += piece.length;
      sending.hash.update(piece);
      const framed = chunked
        ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
        : piece;
      if (!socket.write(framed)) return;
    }
    if (sending.accepted === TOTAL) {
      socket.off('drain', go);
      if (chunked) socket.write('0\r\n\r\n');
    }
  };
  socket.on('drain', go);
  go();
  return sending;
}

/** Hashes a body that begins after the first empty line; chunked framing is taken off by the sizes that are announced. */
function receive(connection: RawConnection, chunked: boolean): { length: number; readonly hash: Hash } {
  const got = { length: 0, hash: createHash('sha256') };
  let head: Buffer | null = Buffer.alloc(0);
  let left = 0;
  let line = '';
  const take = (data: Buffer) => {
    got.hash.update(data);
    got.length += data.length;
  };
  const takeChunked = (data: Buffer) => {
    let at = 0;
    while (at < data.length) {
      if (left > 0) {
        const part = data.subarray(at, at + left);
        take(part);
        left -= part.length;
        at += part.length;
        continue;
      }
      const char = String.fromCharCode(data[at++]!);
      if (char !== '\n') line += char;
      else {
        left = Number.parseInt(line.trim() || '0', 16);
        line = '';
      }
    }
  };
  connection.keep = false;
  connection.onData = (data) => {
    let body = data;
    if (head !== null) {
      head = Buffer.concat([head, data]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      body = head.subarray(end + 4);
      head = null;
    }
    if (chunked) takeChunked(body);
    else take(body);
  };
  return got;
}

const framings = {
  'Content-Length': { chunked: false, field: `Content-Length: ${TOTAL}\r\n` },
  chunked: { chunked: true, field: 'Transfer-Encoding: chunked\r\n' },
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * What is reachable: packets that are read and gone would only show how lazy the collector is. It runs twice, because the memory of
 * buffers that the first run finds dead is given back while the second begins.
 */
function held(): number {
  collect();
  collect();
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}

for (const [name, { chunked, field }] of Object.entries(framings)) {
  t.test(`download, ${name}`, async (t) => {
    const upstream = await RawUpstream.start(t, () => {});
    const proxy = await startProxy(t, { upstream, clock: new FakeClock() });
    const client = await proxy.connect();
    const got = receive(client, chunked);
    client.socket.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await upstream.untilRequests(1);
    const before = held();
    const connection = upstream.connections[0]!;
    connection.write(`HTTP/1.1 200 OK\r\n${field}\r\n`);
    const sending = send(connection, chunked);
    const stalled = await untilStill('the upstream', () => sending.accepted);
    t.ok(stalled < MOST, `the upstream got rid of ${(stalled / MIB).toFixed(1)} MiB`);
    const grown = held() - before;
    t.ok(grown < MOST / 2, `memory grew by ${(grown / MIB).toFixed(1)} MiB`);
    client.socket.resume();
    await client.signal.wait('every byte', () => got.length >= TOTAL, 30_000);
    t.equal(got.hash.digest('hex'), sending.hash.digest('hex'));
  });

  t.test(`upload, ${name}`, async (t) => {
    const upstream = await RawUpstream.start(t, () => {});
    const proxy = await startProxy(t, { upstream, clock: new FakeClock() });
    let got: ReturnType<typeof receive> | null = null;
    upstream.behaviour = (connection) => {
      got = receive(connection, chunked);
      connection.socket.pause();
    };
    const before = held();
    const client = await proxy.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n`);
    const sending = send(client, chunked);
    await upstream.untilConnections(1);
    const stalled = await untilStill('the client', () => sending.accepted);
    t.ok(stalled < MOST, `the client got rid of ${(stalled / MIB).toFixed(1)} MiB`);
    const grown = held() - before;
    t.ok(grown < MOST / 2, `memory grew by ${(grown / MIB).toFixed(1)} MiB`);
    const connection = upstream.connections[0]!;
    connection.socket.resume();
    await connection.signal.wait('every byte', () => got!.length >= TOTAL, 30_000);
    t.equal(got!.hash.digest('hex'), sending.hash.digest('hex'));
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    t.equal((await client.answer()).status, 200);
  });
}

t.test('tunnel: each direction stops by itself', async (t) => {
  const upstream = await RawUpstream.start(t, async (connection) => {
    await connection.request();
    connection.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
  });
  const proxy = await startProxy(t, { upstream, clock: new FakeClock() });
  const client = await proxy.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  t.equal((await client.answer()).status, 101);
  const connection = upstream.connections[0]!;
  client.keep = false;
  connection.keep = false;
  client.socket.pause();
  const sending = send(connection, false);
  const stalled = await untilStill('the upstream', () => sending.accepted);
  t.ok(stalled < MOST, `the upstream got rid of ${(stalled / MIB).toFixed(1)} MiB`);
  const before = connection.bytes;
  client.write('still talking');
  await connection.signal.wait('the other direction', () => connection.bytes === before + 13);
  const got = client.bytes;
  client.socket.resume();
  await client.signal.wait('every byte', () => client.bytes - got >= TOTAL, 30_000);
  t.equal(client.bytes - got, TOTAL);
});

t.test('a connection goes on behind an upload that was stopped while its attempt failed', async (t) => {
  const upstream = await RawUpstream.start(t, () => {});
  const { url } = upstream;
  await upstream.close();
  const proxy = await startProxy(t, { upstream: [url] });
  // Everything fits the first read but its last bytes: the attempt holds as much as it may and stops the client, then fails.
  const client = await proxy.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n${'x'.repeat(65_536)}`);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const answers = await client.answers(2);
  t.strictSame(
    answers.map((answer) => answer.status),
    [503, 503],
  );
});

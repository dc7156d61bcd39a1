/**
 * Node's own HTTP client with a keep-alive agent through Sluice: connections are reused, and no answer is given to another's question.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import t from 'tap';
import { type Seen, seededBytes, sha256, startOrigin } from './origin.ts';
import { configOf, startSluice } from './sluice-process.ts';

t.test('node:http with a keep-alive agent', async (t) => {
  const origin = await startOrigin(t);
  const sluice = await startSluice(t, configOf([origin.url]));

  /** Sends a body and gives back what the upstream saw, and whether the connection was used before. */
  const ask = async (agent: Agent, path: string, body: Buffer, chunked: boolean): Promise<[Seen, boolean]> => {
    const outgoing = request(`${sluice.url}${path}`, {
      agent,
      method: body.length === 0 ? 'GET' : 'POST',
      headers:
        body.length === 0 ? {} : chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length },
    });
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    outgoing.end(body);
    const [response] = await answered;
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part);
    return [JSON.parse(Buffer.concat(parts).toString()), outgoing.reusedSocket];
  };

  t.test('one connection, 100 requests with bodies of all sizes', async (t) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    const before = origin.connections.length;
    let reused = 0;
    for (let i = 0; i < 100; i++) {
      const body = seededBytes((i * i * 37) % 200_000, i);
      const [seen, again] = await ask(agent, `/n/${i}`, body, i % 2 === 0);
      if (again) reused++;
      if (seen.url !== `/n/${i}` || seen.bytes !== body.length || seen.sha256 !== sha256(body))
        t.fail(`request ${i}: ${JSON.stringify(seen)}`);
    }
    t.equal(reused, 99);
    t.equal(origin.connections.length - before, 1, 'which is one connection upstream too');
  });

  t.test('16 connections, 800 requests', async (t) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    t.teardown(() => agent.destroy());
    const before = origin.connections.length;
    const wrong: string[] = [];
    await Promise.all(
      Array.from({ length: 800 }, async (_, i) => {
        const body = seededBytes((i * 7919) % 30_000, i);
        const [seen] = await ask(agent, `/n/${i}`, body, i % 3 === 0);
        if (seen.url !== `/n/${i}` || seen.sha256 !== sha256(body)) wrong.push(`request ${i}: ${JSON.stringify(seen)}`);
      }),
    );
    t.strictSame(wrong, [], 'every answer belongs to its question');
    t.ok(origin.connections.length - before <= 16, 'no more connections upstream than downstream');
  });

  t.equal(sluice.child.exitCode, null, 'sluice lives');
});

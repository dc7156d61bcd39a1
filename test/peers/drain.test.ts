/**
 * The end of a process: SIGTERM lets requests finish and takes no new ones; a second signal ends at once.
 */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { type Origin, startOrigin } from './origin.ts';
import { configOf, type SluiceProcess, startSluice } from './sluice-process.ts';

interface Stage {
  readonly origin: Origin;
  readonly sluice: SluiceProcess;
  /** A request that the upstream has got and answers when the test says so. */
  slow(): Promise<{ answer: Promise<string>; finish: (text: string) => void }>;
}

async function stage(t: Parameters<typeof startOrigin>[0]): Promise<Stage> {
  let arrived: (response: ServerResponse) => void = () => {};
  const origin = await startOrigin(t, { '/slow': (_request, response) => arrived(response) });
  const sluice = await startSluice(t, configOf([origin.url], { timeouts: { drain: '20s' } }));
  const slow = async () => {
    const got = new Promise<ServerResponse>((resolve) => {
      arrived = resolve;
    });
    const answer = textOf(`${sluice.url}/slow`);
    // Looked at when the test awaits it; until then a rejection is not an unhandled one.
    answer.catch(() => {});
    const response = await got;
    return { answer, finish: (text: string) => void response.end(text) };
  };
  return { origin, sluice, slow };
}

async function textOf(url: string, agent: Agent | false = false): Promise<string> {
  const request = get(url, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return text;
}

/** Every worker has to stop listening, so it is tried until nobody takes the connection. */
async function refused(port: number): Promise<void> {
  for (;;) {
    const outcome = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve('taken');
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    if (outcome === 'ECONNREFUSED') return;
    await pause(5);
  }
}

t.test('SIGTERM: what runs finishes, what is idle closes, what is new is refused', async (t) => {
  const { sluice, slow } = await stage(t);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  await textOf(`${sluice.url}/a`, agent);
  const idle = Object.values(agent.freeSockets).flat()[0];
  t.ok(idle, 'a connection is kept');
  const idleClosed = idle && once(idle, 'close');

  const running = [await slow(), await slow(), await slow()];
  sluice.child.kill('SIGTERM');
  await refused(sluice.port);
  await idleClosed;
  t.equal(sluice.child.exitCode, null, 'still there for the requests that run');
  for (const [i, { finish }] of running.entries()) finish(`answer ${i}`);
  t.strictSame(await Promise.all(running.map(({ answer }) => answer)), ['answer 0', 'answer 1', 'answer 2']);
  t.strictSame(await sluice.exit, { code: 0, signal: null });
});

t.test('SIGINT with nothing to do ends at once', async (t) => {
  const { sluice } = await stage(t);
  sluice.child.kill('SIGINT');
  t.strictSame(await sluice.exit, { code: 0, signal: null });
});

t.test('a second signal does not wait', async (t) => {
  const { sluice, slow } = await stage(t);
  const { answer } = await slow();
  sluice.child.kill('SIGTERM');
  await refused(sluice.port);
  sluice.child.kill('SIGTERM');
  t.strictSame(await sluice.exit, { code: 1, signal: null });
  await t.rejects(answer, 'the request that ran is cut');
});

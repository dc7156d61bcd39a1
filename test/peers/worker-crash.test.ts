/**
 * A worker that dies: the other's connections do not notice, nobody is refused, and a replacement takes its place.
 *
 * Which worker serves a connection cannot be seen from outside, but each worker has an upstream pool of its own: as long as requests come
 * one after the other, a worker has one upstream connection, and its number, which the upstream puts into the answer, names the
 * worker. The supervisor runs in this process, because only it can end a worker.
 */
import type { ServerResponse } from 'node:http';
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { createLogger } from '../../src/control/log.ts';
import { Supervisor } from '../../src/control/supervisor.ts';
import { WORKER_SLOTS } from '../../src/model/counters.ts';
import { RawClient } from '../kit/raw-client.ts';
import { type Origin, startOrigin } from './origin.ts';
import { configOf } from './sluice-process.ts';

/** With two workers, all of them on one has a chance of 1 in 2^31. */
const CLIENTS = 32;

t.test('a crashed worker', async (t) => {
  const held: ServerResponse[] = [];
  let arrived: () => void = () => {};
  const origin: Origin = await startOrigin(t, {
    '/who': (request, response) => response.end(`worker ${origin.connections.indexOf(request.socket)}`),
    '/slow': (_request, response) => {
      response.write('begun,');
      held.push(response);
      arrived();
    },
  });
  const log: string[] = [];
  const logger = createLogger((line) => log.push(line));
  const supervisor = new Supervisor({ config: parseConfig(configOf([origin.url]), 'test', {}), logger });
  await supervisor.start();
  t.teardown(() => supervisor.kill());
  const port = supervisor.addresses[0]?.port ?? 0;
  const dead = new Set<string>();

  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.open(port);
    t.teardown(() => client.destroy());
    return client;
  };
  const ask = (client: RawClient, path: string): void => client.write(`GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`);
  /** The worker that serves a connection, from its `count`-th answer. */
  const workerOf = async (client: RawClient, count = 1): Promise<string> => {
    ask(client, '/who');
    return (await client.answers(count)).at(-1)?.body ?? '';
  };
  /** `CLIENTS` fresh connections by worker. All are answered, whatever happened before. */
  const connectMany = async (): Promise<Map<string, RawClient[]>> => {
    const groups = new Map<string, RawClient[]>();
    for (let i = 0; i < CLIENTS; i++) {
      const client = await connect();
      const worker = await workerOf(client);
      groups.set(worker, [...(groups.get(worker) ?? []), client]);
    }
    return groups;
  };

  for (const index of [0, 1, 0]) {
    const groups = await connectMany();
    t.equal(groups.size, 2, 'both workers serve');
    for (const worker of groups.keys()) t.notOk(dead.has(worker), 'nobody is served by the dead');

    // One request of each worker runs while the worker dies.
    const slow = new Map<string, RawClient>();
    for (const [worker, [first]] of groups) {
      if (first === undefined) continue;
      const got = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      ask(first, '/slow');
      await got;
      await first.untilText('begun,');
      slow.set(worker, first);
    }

    await supervisor.workers[index]?.terminate();
    await Promise.race([...groups.values()].map(([, second]) => second?.untilOver()));
    const victim = [...groups.keys()].find((worker) => groups.get(worker)?.[1]?.over);
    const survivor = [...groups.keys()].find((worker) => worker !== victim);
    if (victim === undefined || survivor === undefined) throw new Error('no two workers');
    dead.add(victim);

    for (const client of groups.get(victim) ?? []) await client.untilOver();
    t.pass(`worker ${index} took its own ${groups.get(victim)?.length} connections with it`);
    t.equal(slow.get(victim)?.transcript(['GET', 'GET']).cut, true, 'the response that it was sending is visibly cut');

    for (const response of held.splice(0)) response.end('finished');
    const answers = await slow.get(survivor)?.answers(2);
    t.equal(answers?.at(-1)?.body, 'begun,finished', "the other worker's running request finishes");
    const others = (groups.get(survivor) ?? []).filter((client) => client !== slow.get(survivor));
    for (const client of others) await workerOf(client, 2);
    t.notOk(
      others.some((client) => client.over),
      `and its other ${others.length} connections go on`,
    );

    // New connections are answered at every moment; after a while by somebody new.
    const known = new Set([...dead, survivor]);
    for (let count = 0, fresh = false; !fresh; count++) {
      if (count > 20_000) throw new Error(`no replacement:\n${log.join('')}`);
      const client = await RawClient.open(port);
      fresh = !known.has(await workerOf(client));
      client.destroy();
    }
    t.pass('a replacement serves');
    t.equal(
      supervisor.memories[index]?.counters[WORKER_SLOTS.inFlight],
      0,
      'what the dead worker had in flight is not counted on',
    );
  }
  await supervisor.drain();
});

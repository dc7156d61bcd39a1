/** The end of a process as its load balancer sees it: not ready first, gone when the last request is answered. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { configFor, eventsOf, eventually, newSite, type Running, type Site, startControl } from './control-process.ts';

interface Stage {
  readonly site: Site;
  readonly running: Running;
  /** A request that is answered when the test says so. */
  readonly answer: Promise<string>;
  finish(): void;
}

/** A process in the middle of a request. */
async function busy(t: Test): Promise<Stage> {
  const arrived = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => arrived.resolve(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const site = await newSite(t);
  const text = configFor(
    site,
    { a: url, b: 'http://127.0.0.1:1', c: 'http://127.0.0.1:2' },
    {},
    {
      versions: { v1: { endpoints: [url] } },
      lanes: { stable: 'v1' },
      split: { weights: { v1: 100 } },
    },
  );
  const running = await startControl(t, site, text);
  const answer = request(site.proxy).then(({ body }) => body.text());
  answer.catch(() => {});
  const response = await arrived.promise;
  return { site, running, answer, finish: () => void response.end('late') };
}

const ENDS: Readonly<Record<string, (running: Running) => Promise<unknown>>> = {
  SIGTERM: async ({ child }) => ({ status: child.kill('SIGTERM') ? 202 : 0 }),
  'POST /api/v1/drain': ({ calls }) => calls.call('POST', '/api/v1/drain', { reason: 'new machine' }),
};

for (const [name, end] of Object.entries(ENDS)) {
  t.test(name, async (t) => {
    const { running, answer, finish } = await busy(t);
    const { calls } = running;
    t.equal((await calls.call('GET', '/readyz')).status, 200);
    t.match(await end(running), { status: 202 });
    await eventually('readyz to say so', async () => (await calls.call('GET', '/readyz')).status === 503);
    t.match((await calls.call('GET', '/readyz')).body, { ready: false, state: 'draining' });
    t.equal((await calls.call('GET', '/healthz')).status, 200, 'alive all the same');
    t.match(await calls.setWeights('shop', { v1: 100 }), { status: 503, body: { code: 'draining' } });
    t.match(await calls.status(), { state: 'draining', inFlight: 1 });
    t.ok((await eventsOf(running)).some(({ type }) => type === 'server.draining'));
    const { body } = await calls.call<{ rows: object[] }>('GET', '/api/v1/audit?action=server.drain');
    if (name !== 'SIGTERM') t.match(body.rows, [{ target: 'server', actor: 'local', reason: 'new machine' }]);
    finish();
    t.equal(await answer, 'late', 'what was under way is answered');
    t.strictSame(await running.exit, { code: 0, signal: null });
    t.notOk(
      running.log.some((line) => /"level":"error"/.test(line)),
      running.log.join('\n'),
    );
  });
}

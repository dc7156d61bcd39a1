/** Injected faults at the wire: delays, aborts, who is meant, and that nothing of a request is lost meanwhile. */
import t, { type Test } from 'tap';
import { SeededRandom } from '../../src/runtime/random.ts';
import { answering } from '../kit/behaviours.ts';
import { versionCounts, workerCounts } from '../kit/counts.ts';
import { wrongField } from '../kit/expect.ts';
import { pass } from '../kit/fake-time.ts';
import { nothingInFlight, startChecked, startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { bytes, chunkedUpload, GET, head, upload } from '../kit/requests.ts';
import { turns, until } from '../kit/signal.ts';

expectNoSockets(t);

const ROUTE = { match: { pathPrefix: '/' }, service: 'web' };
const start = (t: Test, fault: object, route: object = ROUTE) =>
  startLanes(t, { stable: [answering()], config: { routes: [{ ...route, fault }] } });

t.test('abort: the status, marked as injected, and no upstream is asked', async (t) => {
  for (const status of [400, 404, 500, 503, 599]) {
    const { proxy, stable } = await start(t, { abort: { status } });
    const client = await proxy.send(GET + head('HEAD') + upload('hello'));
    const got = await client.answers(3, ['GET', 'HEAD', 'POST']);
    for (const answer of got) {
      t.equal(answer.status, status);
      t.equal(wrongField(answer, { 'proxy-status': /FI|http_request_denied/, connection: null }), null);
    }
    t.match(got[0]!.body, /fault injected on purpose \(FI\)/);
    t.equal(stable[0]!.connections.length, 0);
    t.strictSame(versionCounts(proxy), {}, 'no version is to blame');
    t.equal(workerCounts(proxy).faultsInjected, 3);
  }
});

t.test('delay', async (t) => {
  await t.test('holds the request, not longer', async (t) => {
    const { proxy, clock, stable } = await start(t, { delay: { by: '2s' } });
    const client = await proxy.send(GET);
    await until('the request', () => workerCounts(proxy).faultsInjected === 1);
    await pass(clock, 1990, 10);
    t.equal(stable[0]!.connections.length, 0);
    await pass(clock, 25, 5);
    t.equal((await client.answer()).status, 200);
    client.write(GET);
    await until('the request', () => workerCounts(proxy).faultsInjected === 2);
    await pass(clock, 2020, 10);
    t.equal((await client.answers(2))[1]!.status, 200, 'the connection goes on');
  });
  await t.test('the upstream’s time begins afterwards', async (t) => {
    const { proxy, clock } = await startLanes(t, {
      stable: [answering()],
      service: { timeouts: { request: '1s', response: '1s' } },
      config: { routes: [{ ...ROUTE, fault: { delay: { by: '5s' } } }] },
    });
    const client = await proxy.send(GET);
    await until('the request', () => workerCounts(proxy).faultsInjected === 1);
    await pass(clock, 5100, 50);
    t.equal((await client.answer()).status, 200);
  });
  await t.test('a body that arrives meanwhile is whole', async (t) => {
    for (const make of [upload, chunkedUpload]) {
      for (const size of [1, 16_385, 65_537, 3_000_000]) {
        const { proxy, clock, stable } = await start(t, { delay: { by: '1s' } });
        const body = bytes(size);
        const message = make(body);
        const client = await proxy.send(message.slice(0, 200));
        await until('the request', () => workerCounts(proxy).faultsInjected === 1);
        client.write(message.slice(200));
        await turns(50);
        t.equal(stable[0]!.connections.length, 0);
        await pass(clock, 1020, 10);
        t.equal((await client.answer()).status, 200, `${make.name} ${size}`);
        t.equal(stable[0]!.requests[0]!.body === body, true);
      }
    }
  });
  await t.test('a large body is held up, and its client is not blamed', async (t) => {
    const { proxy, clock } = await start(t, { delay: { by: '90s' } });
    const client = await proxy.send(upload('x'.repeat(30_000_000)));
    await until('the request', () => workerCounts(proxy).faultsInjected === 1);
    await turns(100);
    const left = client.socket.writableLength;
    t.ok(left > 15_000_000, `${left} bytes are not read`);
    await pass(clock, 80_000, 1000);
    t.equal(client.socket.writableLength, left);
    t.notOk(client.over);
    client.reset();
    // Who is not read is seen to have left when reading goes on.
    await pass(clock, 11_000, 1000);
    await nothingInFlight(proxy);
  });
  await t.test('the client leaves', async (t) => {
    const { proxy, clock, stable } = await start(t, { delay: { by: '1s' } });
    const client = await proxy.send(GET);
    await until('the request', () => workerCounts(proxy).faultsInjected === 1);
    client.reset();
    await nothingInFlight(proxy);
    await pass(clock, 2000);
    t.equal(stable[0]!.connections.length, 0);
    t.equal(workerCounts(proxy).clientAborts, 1);
  });
  await t.test('a malformed chunk is a 400 at once', async (t) => {
    const { proxy, stable } = await start(t, { delay: { by: '1s' } });
    const client = await proxy.send(`${head('POST', { 'Transfer-Encoding': 'chunked' })}2\r\nokxx`);
    t.equal((await client.answer()).status, 400);
    await client.untilOver();
    t.equal(stable[0]!.connections.length, 0);
  });
});

t.test('delay and abort: it waits, then it fails', async (t) => {
  for (const request of [GET, upload(bytes(50_000)), chunkedUpload(bytes(50_000))]) {
    const { proxy, clock, stable } = await start(t, { delay: { by: '1s' }, abort: { status: 503 } });
    const client = await proxy.send(request);
    await until('the request', () => workerCounts(proxy).faultsInjected === 1);
    await turns(10);
    await pass(clock, 990, 10);
    t.equal(client.text, '');
    await pass(clock, 150, 10);
    const answer = await client.answer();
    t.equal(answer.status, 503);
    t.equal(value(answer, 'connection'), null);
    client.write(GET);
    await until('the next', () => workerCounts(proxy).faultsInjected === 2);
    await pass(clock, 1150, 10);
    t.equal((await client.answers(2))[1]!.status, 503, 'the connection goes on');
    t.equal(stable[0]!.connections.length, 0);
  }
  const { proxy } = await start(t, { delay: { by: '1s' }, abort: { status: 503 } });
  const gone = await proxy.send(GET);
  await until('the request', () => workerCounts(proxy).faultsInjected === 1);
  gone.reset();
  await nothingInFlight(proxy);
});

t.test('header: only those who bear it are meant, whatever its value', async (t) => {
  const { proxy } = await start(t, { header: 'X-Chaos', abort: { status: 418 } });
  const requests = [{}, { 'X-Chaos': 'yes' }, { 'x-chaos': '0' }, { 'X-Chaos': '' }, { 'X-Chaos-2': 'yes' }];
  const client = await proxy.send(requests.map((fields) => head('GET', fields)).join(''));
  t.strictSame(
    (await client.answers(5)).map(({ status }) => status),
    [200, 418, 418, 418, 200],
  );
});

t.test('a route’s own: others are left alone, and so is everything where none asks for it', async (t) => {
  const routes = [{ ...ROUTE, match: { pathPrefix: '/bad' }, fault: { abort: { status: 500 } } }, ROUTE];
  const { proxy } = await startLanes(t, { stable: [answering()], config: { routes } });
  const client = await proxy.send(head('GET', {}, '/bad/x') + head('GET', {}, '/badly') + GET);
  t.strictSame(
    (await client.answers(3)).map(({ status }) => status),
    [500, 200, 200],
  );
  const plain = await startLanes(t, { stable: [answering()] });
  const other = await plain.proxy.send(GET.repeat(20));
  t.ok((await other.answers(20)).every(({ status }) => status === 200));
  t.equal(workerCounts(plain.proxy).faultsInjected, undefined);
});

t.test('redirects and fixed replies can be made to fail', async (t) => {
  const fault = { abort: { status: 500 } };
  const { proxy } = await start(t, fault, { match: { pathPrefix: '/' }, reply: { status: 200, body: 'fixed' } });
  t.equal((await (await proxy.send(GET)).answer()).status, 500);
});

t.test('shares are dice: seeded ones fall the same way twice, near the share', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const run = async (percent: string) => {
    const routes = [{ ...ROUTE, fault: { abort: { status: 503, percent } } }];
    const proxy = await startChecked(t, { upstream, config: { routes }, random: new SeededRandom(7) });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const client = await proxy.send(GET.repeat(100));
      statuses.push(...(await client.answers(100)).map(({ status }) => status));
      client.destroy();
    }
    return statuses;
  };
  const statuses = await run('25%');
  t.strictSame(await run('25%'), statuses);
  const share = statuses.filter((status) => status === 503).length;
  t.ok(Math.abs(share - 100) < 27, `${share} of 400`);
  t.ok((await run('0%')).every((status) => status === 200));
  t.ok((await run('100%')).every((status) => status === 503));
});

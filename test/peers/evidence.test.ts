/** Evidence across threads: real workers count, one of them closes the version, the main thread is told, and a crash loses no count. */
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import { Supervisor } from '../../src/control/supervisor.ts';
import { CLOSED, type FailedRequest } from '../../src/model/evidence-table.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { answering, response } from '../kit/behaviours.ts';
import { Compared, THOUSAND } from '../kit/compared.ts';
import { RawClient } from '../kit/raw-client.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { GET } from '../kit/requests.ts';
import { until } from '../kit/signal.ts';

t.test('two workers', async (t) => {
  const good = await RawUpstream.start(t, answering(response(200, 'stable')));
  const bad = await RawUpstream.start(t, answering(response(500, 'canary')));
  const web = {
    versions: { v1: { endpoints: [good.url] }, v2: { endpoints: [bad.url] } },
    ...{ lanes: { stable: 'v1', canary: 'v2' }, split: { weights: { v1: 0, v2: 100 } } },
  };
  const config = parseConfig(JSON.stringify({ listen: '127.0.0.1:0', workers: 2, services: { web } }), 'test', {});
  const told: FailedRequest[] = [];
  const switched: unknown[] = [];
  const supervisor = new Supervisor({
    ...{ config, logger: silentLogger },
    onFailedRequest: (request) => told.push(request),
    onSwitched: (...what) => switched.push(what),
  });
  t.teardown(() => supervisor.kill());
  await supervisor.start();
  const compared = new Compared(supervisor, [0.1], { errorsThreshold: THOUSAND });
  const ask = async (): Promise<string> => {
    const client = await RawClient.open(supervisor.addresses[0]!.port);
    client.write(GET);
    const { body } = await client.answer();
    client.destroy();
    return body;
  };
  const before = Date.now();
  for (let i = 0; i < 3; i++) t.equal(await ask(), 'canary');
  await supervisor.workers[0]!.terminate();
  t.equal(compared.canaryAt().counted, 3, 'counts outlive their worker');
  await until('its successor', () => supervisor.listening === 2);
  t.equal(await ask(), 'canary');
  t.equal(await ask(), 'stable', 'the very next one');
  t.equal(compared.bits, CLOSED);
  await until('word of it', () => switched.length > 0 && told.length === 4);
  t.strictSame(switched, [[compared.row, 7, 'errors']]);
  t.match(told[3], { row: compared.row, use: 7, method: 'GET', path: '/', route: 'default', status: 500, flag: '' });
  for (const at of [compared.time('firstFailure'), compared.time('thrown'), told[0]!.at]) {
    t.ok(at >= before && at <= Date.now(), `${at} is a time of now`);
  }
  for (let i = 0; i < 20; i++) t.equal(await ask(), 'stable', 'in every worker');
});

/**
 * Nothing is lost while the control plane works: reloads every 100 ms and changes of weights every 10 ms, under users of every kind.
 *
 * What is asserted is counts, never times; the load is small enough for a busy machine, and a slow one makes fewer changes. bench/reload.ts is
 * the same for a minute.
 */
import t from 'tap';
import { eventually } from './chaos-stage.ts';
import { KeepAliveAsker } from './keep-alive-asker.ts';
import { Storm } from './storm.ts';
import { losses } from './storm-outcome.ts';
import { StormStage } from './storm-stage.ts';
import { Talker, Transfers } from './storm-visitors.ts';

t.setTimeout(110_000);

t.test('storm', async (t) => {
  const stage = await StormStage.open({ rate: 300, connections: 20 });
  t.teardown(() => stage.close());
  const reload = async (step: number, there: boolean): Promise<void> => {
    stage.write(stage.configAt(step, { v3: there, guest: there, spare: false }));
    const { status, text } = await stage.admin.call('POST', '/api/v1/config/reload');
    t.equal(status, 200, text);
  };
  const socketOn = (service: string): Promise<Talker> => Talker.open(`ws://127.0.0.1:${stage.port}/${service}`);

  await t.test('a service and a version that go', async (t) => {
    const asker = new KeepAliveAsker(t, stage.port, null);
    t.equal(await asker.ask('/guest'), 'status 404');
    await reload(1, true);
    t.equal(await asker.ask('/guest'), 'guest ');
    const talkers = { guest: await socketOn('guest'), other: await socketOn('shop'), v3: await socketOn('side') };
    for (let i = 0; i < 500 && talkers.v3.greeting !== 'side-v3'; i++) {
      talkers.v3.leave();
      talkers.v3 = await socketOn('side');
    }
    t.equal(talkers.v3.greeting, 'side-v3', 'v3 has its share');
    const transfers = new Transfers(stage.port, 1_500);
    transfers.begin('/guest');
    await eventually('both transfers to be under way', async () => (await stage.counts()).begun.guest === 3);

    await reload(2, false);
    t.equal(await asker.ask('/guest'), 'status 404', 'it has gone');
    const { finished, faults } = await transfers.leave();
    t.strictSame([finished, faults], [2, []], 'what was under way with it has finished');
    for (const [name, talker] of Object.entries(talkers)) {
      await talker.nextEcho();
      t.equal(talker.fault, null, `the WebSocket to ${name} goes on`);
      talker.leave();
    }
    await reload(3, true);
    t.equal(await asker.ask('/guest'), 'guest ', 'and it is back');
    t.equal(asker.connections, 1, 'all of that over one connection');
    await reload(4, false);
  });

  await t.test('reloads and weights, both at once', async (t) => {
    const storm = new Storm(stage, {
      ...{ seconds: 12, weightsEvery: 10, reloadEvery: 100 },
      ...{ webSockets: 20, transfers: 4, transferMs: 2_500, wrkPause: 15 },
    });
    const outcome = await storm.run();
    const { client, wrk, webSockets, transfers, weights, reloads, newConnections, memory } = outcome;
    t.strictSame(losses(outcome), [], 'nothing was lost');
    t.comment(`${client.made} requests, ${wrk?.requests ?? 'no'} of wrk, ${webSockets.echoes} echoes`);
    t.comment(`${weights.made} weights, ${weights.skipped} skipped; reloads ${JSON.stringify(reloads)}`);
    t.comment(`new connections ${JSON.stringify(newConnections)}, MiB ${memory.join(' ')}`);
    for (const name of ['v1', 'v2', 'side-v1', 'side-v2', 'side-v3']) {
      t.ok((client.answers[name] ?? 0) > 0, `${name} has answered`);
    }
    t.equal(webSockets.opened, 20);
    t.ok(transfers.finished >= 8, 'downloads and uploads have come through');
    t.ok(weights.made > 100 && reloads.applied > 20, 'it was a storm');
  });

  t.ok(stage.lives, 'sluice lives');
});

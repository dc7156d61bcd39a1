/** The live stream of a running Sluice: what a page sees of a rollout, from its start until after its end. */
import t from 'tap';
import type { LiveState } from '../../src/control/admin/live-state.ts';
import { SluiceProcess } from '../cli/sluice-process.ts';

const sluice = new SluiceProcess(['demo', '--port', '0', '--admin-port', '0']);
t.teardown(() => sluice.signal('SIGKILL'));
const [, proxy = ''] = await sluice.printed(/proxy {2}(http:\/\/127\.0\.0\.1:\d+)/);
const [, page = ''] = await sluice.printed(/page {3}(http:\/\/127\.0\.0\.1:\d+\/) /);
const api = `${page}api/v1`;

const post = async (path: string, body: unknown): Promise<number> => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${api}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  await answer.text();
  return answer.status;
};

t.test('a rollout, seen live', async (t) => {
  const abort = new AbortController();
  const response = await fetch(`${api}/live`, { signal: abort.signal });
  const text = response.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let unread = '';
  const next = async (): Promise<{ event: string; data: string }> => {
    for (;;) {
      const end = unread.indexOf('\n\n');
      if (end >= 0) {
        const message = unread.slice(0, end);
        unread = unread.slice(end + 2);
        const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/m.exec(message) ?? [];
        if (event !== '') return { event, data };
        continue;
      }
      const { done, value } = await text.next();
      if (done) throw new Error('the stream has ended');
      unread += value;
    }
  };
  const events = new Set<string>();
  const stateWhere = async (holds: (state: LiveState) => boolean): Promise<LiveState> => {
    for (;;) {
      const { event, data } = await next();
      if (event !== 'state') events.add(event);
      else if (holds(JSON.parse(data))) return JSON.parse(data);
    }
  };

  const first = await stateWhere(() => true);
  t.match(first, { status: { state: 'serving' }, services: [{ name: 'demo', rollout: null }], rollouts: [] });
  for (let i = 0; i < 20; i++) await (await fetch(proxy)).text();
  t.equal(await post('/services/demo/rollouts', { version: 'v2', strategy: 'quick' }), 201);
  const running = await stateWhere(({ services }) => services[0]?.rollout === 'demo-1');
  t.match(running.rollouts, [{ id: 'demo-1', endedAt: null }]);
  const replies = running.services[0]?.versions.map(({ traffic }) => traffic.replies['2xx']) ?? [];
  t.equal(
    replies.reduce((sum, count) => sum + count, 0),
    20,
  );
  t.equal(await post('/rollouts/demo-1/abort', { reason: 'seen enough' }), 200);
  const over = await stateWhere(({ rollouts }) => rollouts.some(({ endedAt }) => endedAt !== null));
  t.match(over.rollouts, [{ id: 'demo-1', phase: /RolledBack|Failed/ }], 'its end is shown');
  t.equal(over.services[0]?.rollout, null);
  t.ok(events.has('rollout.started') || events.has('rollout.queued'), [...events].join(' '));
  abort.abort();
});

t.test('the dashboard comes from the same address', async (t) => {
  const answer = await fetch(page, { headers: { accept: 'text/html' } });
  t.strictSame([answer.status, answer.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
  t.match(await answer.text(), /<script type="module" src="dashboard\/app\.js">/);
  t.equal((await fetch(`${page}dashboard/app.js`)).status, 200);
});

t.test('and it ends with the streams', async (t) => {
  const response = await fetch(`${api}/live`);
  sluice.signal('SIGTERM');
  t.match(await response.text(), /event: server\.draining/, 'an end, not a break');
  t.equal(await sluice.exited, 0);
});

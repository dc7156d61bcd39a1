/** `--wait` and `watch`: a rollout followed to its end, through restarts of the server, a time that is up, and Ctrl-C. */
import type { ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import type { Io, Terminal } from '../../src/cli/command.ts';
import type { RolloutView } from '../../src/control/rollout/view.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { type Asked, FakeAdmin, problem, type Reply, start } from './client-admin-server.ts';
import { FAILED, PAUSED, PROGRESSING, ROLLED_BACK, ROLLING_BACK, SUCCEEDED } from './client-rollout-views.ts';

/** Time that passes only while somebody waits, and then at once. */
class WaitingClock implements Clock {
  #now = 0;
  now(): number {
    return this.#now;
  }
  setInterval(tick: () => void, ms: number) {
    const handle = setImmediate(() => {
      this.#now += ms;
      tick();
    });
    return { stop: () => clearImmediate(handle) };
  }
}

type Look = RolloutView | Reply | 'no answer' | 'silence';

const isView = (look: RolloutView | Reply): look is RolloutView => 'phase' in look;

/** A server of whose answers each look gets the next, and of the last one all that follow. */
async function serving(t: Test, looks: readonly Look[]) {
  const admin = await new FakeAdmin().listen();
  t.teardown(() => admin.close());
  const first = looks[0] as RolloutView;
  const silent = Promise.withResolvers<void>();
  let at = 0;
  admin.on(`GET /api/v1/rollouts/${first.id}`, (_asked: Asked, response: ServerResponse) => {
    const look = looks[Math.min(at++, looks.length - 1)]!;
    if (look === 'silence') return void silent.resolve();
    if (look === 'no answer') return void response.destroy();
    return isView(look) ? { body: look } : look;
  });
  admin.on('POST /api/v1/services/shop/rollouts', { status: 201, body: first });
  admin.on(`POST /api/v1/rollouts/${first.id}/retry`, { status: 201, body: first });
  return { admin, silent: silent.promise, looked: () => at };
}

interface Following {
  readonly looks: readonly Look[];
  readonly argv?: readonly string[];
  readonly io?: Partial<Io>;
  /** Calls what ends the command. */
  readonly interrupt?: (end: () => void, silent: Promise<void>) => void;
}

async function following(t: Test, command: readonly string[], { looks, argv = [], io = {}, interrupt }: Following) {
  const { admin, silent, looked } = await serving(t, looks);
  const clock = new WaitingClock();
  let end = (): void => {};
  const { ended, result } = start([...command, ...argv], {
    clock,
    onInterrupt(listener) {
      end = listener;
      return () => {
        end = () => {};
      };
    },
    ...io,
    env: { SLUICE_ADMIN: admin.url, ...io.env },
  });
  interrupt?.(() => end(), silent);
  return { ...(await ended), result, looked, waited: clock.now() };
}

const waiting = (t: Test, following_: Following) =>
  following(t, ['rollout', 'start', 'shop', 'v2', '--wait'], following_);

const later = (view: RolloutView, message: string, part: Partial<RolloutView> = {}): RolloutView => ({
  ...view,
  timeline: [...view.timeline, { at: '2026-01-01T12:20:00.000Z', kind: 'step', message }].slice(-20),
  ...part,
});

const HEAD = `Rollout shop-7 of shop: v2 against v1, strategy standard, step 2 of 3, 20 %: Progressing
Risk 35 of 100.
`;
const LINES = `2026-01-01 12:00:00  verb          ci: start (release 4711)
2026-01-01 12:00:01  step          step 1 of 3, initial_canary: 5 % for 10m
2026-01-01 12:10:01  step          step 2 of 3, expanded_canary: 20 % for 15m
2026-01-01 12:12:00  warning       p95 could not be read
2026-01-01 12:12:05  warning       p95 is read again
`;

const END = 'Succeeded: v2 is stable after 50m: 3 steps passed.\n';

t.test('a line per change, and 0 when the version is stable', async (t) => {
  const held = { waiting: 'error_rate is 0.4 %, must be < 0.1 %' };
  const looks = [
    PROGRESSING,
    PROGRESSING,
    { ...PROGRESSING, ...held },
    { ...PROGRESSING, waiting: 'error_rate is 0.31 %, must be < 0.1 %' },
    later(PROGRESSING, 'step 3 of 3'),
    SUCCEEDED,
  ];
  const { code, out, err, waited } = await waiting(t, { looks });
  t.equal(
    out,
    `${HEAD}${LINES}waits: ${held.waiting}
2026-01-01 12:20:00  step          step 3 of 3
2026-01-01 12:00:00  verb          ci: start (release 4711)
2026-01-01 12:00:01  step          step 1 of 3, initial_canary: 5 % for 10m
2026-01-01 12:10:01  step          step 2 of 3, expanded_canary: 20 % for 15m
2026-01-01 12:12:00  warning       p95 could not be read
2026-01-01 12:12:05  warning       p95 is read again
2026-01-01 12:50:00  succeeded     v2 is stable
${END}`,
    'where the last line is not in the timeline any more, all of it is told',
  );
  t.strictSame([code, err, waited], [0, '', 6000], 'a look a second');
});

t.test('what the timeline says is not said again', async (t) => {
  const waits = 'error_rate is 0.4 %, must be < 0.1 %';
  const entry = { at: '2026-01-01T12:21:00.000Z', kind: 'waiting', message: 'error_rate is 0.41 %, must be < 0.1 %' };
  const held = { ...PROGRESSING, waiting: waits, timeline: [...PROGRESSING.timeline, entry] };
  const { out } = await waiting(t, { looks: [PROGRESSING, held, { ...held, waiting: 'nobody knows' }, SUCCEEDED] });
  t.notMatch(out, 'waits: error_rate');
  t.match(out, '12:21:00  waiting       error_rate is 0.41 %');
  t.match(out, '\nwaits: nobody knows\n', 'anything else is');
});

t.test('1 when it was taken back or has failed', async (t) => {
  const back = await waiting(t, { looks: [PROGRESSING, ROLLING_BACK, ROLLED_BACK] });
  t.match(back, { code: 1, err: '' });
  t.ok(
    back.out.endsWith(
      `2026-01-01 12:14:10  rolled-back   v2 is taken back
RolledBack: ${ROLLED_BACK.outcome}
What was known then: sluice rollout why shop-7
`,
    ),
    back.out,
  );
  const failed = await waiting(t, { looks: [{ ...FAILED, phase: 'Preflight' }, FAILED] });
  t.match(failed, { code: 1, out: /\nFailed: v2 was given to no user: smoke test home answered 500\.\n/ });
  const over = await waiting(t, { looks: [FAILED] });
  t.match({ code: over.code, looks: over.looked() }, { code: 1, looks: 0 }, 'over at once');
});

t.test('--json has the last view and nothing else on standard output', async (t) => {
  const { code, out, err } = await waiting(t, { looks: [PROGRESSING, SUCCEEDED], argv: ['--json'] });
  t.equal(code, 0);
  t.strictSame(JSON.parse(out), SUCCEEDED);
  t.match(err, /^Rollout shop-7 .*\nRisk .*\n2026-01-01 12:00:00 {2}verb(.*\n)*Succeeded: /);
});

t.test('a server that is started anew', async (t) => {
  const away: Look[] = ['no answer', problem(503, 'Sluice is shutting down.'), 'no answer'];
  const { code, out, err } = await waiting(t, { looks: [PROGRESSING, ...away, PROGRESSING, ...away, SUCCEEDED] });
  t.equal(code, 0);
  t.equal(out, `${HEAD}${LINES}2026-01-01 12:50:00  succeeded     v2 is stable\n${END}`, 'nothing twice');
  t.match(err, /^(sluice rollout start: no server answers at .*\(connection closed\); trying again for 1m 0s\n){2}$/);
});

t.test('a server that does not come back', async (t) => {
  const { code, err, waited } = await waiting(t, { looks: [PROGRESSING, 'no answer'] });
  t.equal(code, 3);
  t.match(err, /trying again for 1m 0s\nsluice rollout start: no server answers at .*\nStart one: /);
  t.equal(waited, 62_000, 'a minute since it was noticed');
});

t.test('a refusal ends it', async (t) => {
  for (const [reply, code] of [
    [problem(404, 'There is no rollout shop-7.'), 1],
    [problem(401, 'This token is not known.'), 4],
  ] as const) {
    t.match(await waiting(t, { looks: [PROGRESSING, reply] }), { code, err: /^sluice rollout start: Th/ });
  }
});

const STILL = `sluice rollout watch shop-7 follows it, sluice rollout abort shop-7 ends it\n`;

t.test('a time that is up', async (t) => {
  const argv = ['--timeout', '90.5s'];
  const { code, err, waited } = await waiting(t, { looks: [PROGRESSING, PAUSED], argv });
  t.equal(code, 6);
  t.equal(err, `sluice rollout start: after 1m 30s rollout shop-7 is still Paused and goes on\n${STILL}`);
  t.equal(waited, 90_500);
  const json = await waiting(t, { looks: [PROGRESSING, PAUSED], argv: [...argv, '--json'] });
  t.strictSame([json.code, JSON.parse(json.out)], [6, PAUSED]);
});

/** Presses Ctrl-C as soon as somebody begins to wait. */
class InterruptingClock extends WaitingClock {
  readonly #listeners = new Set<() => void>();
  readonly onInterrupt = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  override setInterval(tick: () => void, ms: number) {
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
    return super.setInterval(tick, ms);
  }
}

t.test('Ctrl-C between two looks', async (t) => {
  const clock = new InterruptingClock();
  const io = { clock, onInterrupt: clock.onInterrupt };
  const { code, looked } = await waiting(t, { looks: [PROGRESSING], io });
  t.strictSame([code, looked()], [130, 0], 'nothing more is asked');
  const watch = await following(t, ['rollout', 'watch', 'shop-7'], { looks: [PROGRESSING], io });
  t.strictSame([watch.code, watch.looked()], [0, 1]);
});

t.test('Ctrl-C during a look leaves it as it is', async (t) => {
  const between = await waiting(t, {
    looks: [PROGRESSING, PROGRESSING, 'silence'],
    interrupt: (end, silent) => void silent.then(end),
  });
  t.equal(between.code, 130);
  t.equal(between.err, `sluice rollout start: interrupted; rollout shop-7 is still Progressing and goes on\n${STILL}`);
});

t.test('retry waits as well', async (t) => {
  const looks = [PROGRESSING, PAUSED, ROLLED_BACK];
  const { code, out, looked } = await following(t, ['rollout', 'retry', 'shop-7', '--wait'], { looks });
  t.match({ code, out }, { code: 1, out: /^Rollout shop-7 .*: Progressing\n(.*\n)*RolledBack: / });
  t.equal(looked(), 3);
});

t.test('watch without a terminal is a line per change', async (t) => {
  const { code, out, err } = await following(t, ['rollout', 'watch', 'shop-7'], { looks: [PROGRESSING, SUCCEEDED] });
  t.strictSame([code, err], [0, '']);
  t.ok(out.startsWith(`${HEAD.split('\n')[0]}\n${LINES}`), out);
  t.ok(out.endsWith(END), out);
  t.notMatch(out, '\x1b');
  t.match(await following(t, ['rollout', 'watch', 'shop-7'], { looks: [ROLLED_BACK] }), { code: 1 });
  const gone = await following(t, ['rollout', 'watch', 'shop-7'], { looks: [PROGRESSING, 'no answer'] });
  t.match(gone, { code: 3, err: /^sluice rollout watch: no server answers .*trying again for 1m 0s\n/ });
});

t.test('watch --json is a line per look', async (t) => {
  const argv = ['--json', '--interval', '100ms'];
  const { code, out, waited } = await following(t, ['rollout', 'watch', 'shop-7'], {
    looks: [PROGRESSING, PAUSED, ROLLED_BACK],
    argv,
  });
  const phases = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).phase);
  t.strictSame([code, phases, waited], [1, ['Progressing', 'Paused', 'RolledBack'], 200]);
});

t.test('watch on a terminal is drawn in place', async (t) => {
  const terminal: Terminal = { rows: () => 24, columns: () => 70 };
  const away: Look[] = Array.from({ length: 100 }, () => 'no answer');
  const { code, out, err } = await following(t, ['rollout', 'watch', 'shop-7'], {
    looks: [PROGRESSING, ...away, SUCCEEDED],
    io: { terminal },
  });
  t.strictSame([code, err], [0, ''], 'it is waited for without end');
  const pages = out.split('\x1b[H').slice(1);
  t.equal(pages.length, 3);
  for (const page of pages) {
    const lines = page.split('\x1b[J')[0]!.split('\x1b[K\n').slice(0, -1);
    t.ok(lines.length <= 23, 'rows');
    for (const line of lines) t.ok(line.replaceAll(/\x1b\[\d+m/g, '').length <= 70, line);
  }
  t.match(pages[0], /^\x1b\[32mProgressing\x1b\[0m {2}\x1b\[1mshop/);
  t.match(
    pages[1],
    /^\x1b\[31mno server answers at .*\x1b\[0m\x1b\[K\n\x1b\[32mProgressing/,
    'what was seen last stays',
  );
  t.match(pages[2], /Succeeded/);
  t.ok(out.endsWith('\x1b[J\x1b[?7h\x1b[?25h'), 'the terminal is left as it was, the last page on it');
  const plain = await following(t, ['rollout', 'watch', 'shop-7'], {
    looks: [SUCCEEDED],
    io: { terminal: { rows: () => 24 }, env: { NO_COLOR: '1' } },
  });
  t.match(plain.out, '\x1b[HSucceeded', 'NO_COLOR');
  t.notMatch(plain.out, /\x1b\[\d+m/);
});

t.test('Ctrl-C ends watch, and that is all it does', async (t) => {
  const { code, err } = await following(t, ['rollout', 'watch', 'shop-7'], {
    looks: [PROGRESSING, PROGRESSING, 'silence'],
    interrupt: (end, silent) => void silent.then(end),
  });
  t.strictSame([code, err], [0, '']);
});

t.test('wrong calls of watch', async (t) => {
  for (const interval of ['1', '99ms', 'x']) {
    const { code, err } = await start(['rollout', 'watch', '--interval', interval]).ended;
    t.strictSame(
      [code, err.split('\n')[0]],
      [2, `sluice rollout watch: --interval must be a time from 100ms on, not ${JSON.stringify(interval)}`],
    );
  }
});

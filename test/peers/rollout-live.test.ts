/**
 * Rollouts over real sockets: `sluice run` with two workers, versions and users in processes of their own, one program for everything.
 *
 * The same runs as `npm run bench:rollback`, a few of each, judged by counts and never by times: what was taken back, what the canary failed, what
 * users noticed. A machine that is busy with other tests lets whole processes stand still for longer than an answer takes, which the latency test
 * rightly sees; so only the run that is about slowness asks for it, and there the fault begins with the first request.
 */
import t from 'tap';
import { type FaultResult, runFault } from '../../bench/rollback/fault-run.ts';
import { type FaultPlan, faultPlan } from '../../bench/rollback/faults.ts';
import { OUTAGES, runGood, runOutage } from '../../bench/rollback/other-runs.ts';
import { RollbackStage } from '../../bench/rollback/stage.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

/** Four failures are enough for the switch; the others were in flight when it was thrown, on a machine with little time for anybody. */
const MOST_FAILURES = 16;
const QUIET = { evidence: { latency: 'off' } };

const aim = { service: 'shop', method: 'GET', users: null } as const;
const stage = await RollbackStage.open({ rate: 500, connections: 50, aim });
t.teardown(() => stage.close());
await stage.requests(500);

const takenBack = (plan: FaultPlan): Promise<FaultResult> => runFault(stage, plan, new SeededRandom(1));

t.test('half of the answers are 500s: a handful of attempts, and no user notices', async (t) => {
  const plan = faultPlan('half', 'half', { share: 0.5 }, { strategy: QUIET });
  for (const begins of [plan.begins, null]) {
    const { remarks, ...result } = await takenBack({ ...plan, begins });
    t.same(remarks, []);
    t.match(result, { takenBack: true, userErrors: 0, foundBy: 'evidence: errors' });
    t.ok(result.failed >= 4 && result.failed <= MOST_FAILURES, `${result.failed} failed attempts`);
  }
});

t.test('three times as slow', async (t) => {
  const slow = { latency: { percentile: 'p95', floor: '40ms' } };
  const more = { latency: 20, begins: null, strategy: { evidence: slow } };
  const result = await takenBack(faultPlan('slow', 'slow', { fault: 'slow' }, more));
  t.match(result, { takenBack: true, userErrors: 0, foundBy: 'evidence: latency', remarks: [] });
});

t.test('hangs: stable answers instead', async (t) => {
  const more = { begins: null, strategy: QUIET };
  const result = await takenBack(faultPlan('hang', 'hang', { fault: 'hang' }, more));
  t.match(result, { takenBack: true, userErrors: 0, foundBy: 'evidence: errors', remarks: [] });
});

t.test('crashes', async (t) => {
  const more = { service: 'checked', crash: true, strategy: QUIET };
  const result = await takenBack(faultPlan('crash', 'crash', { fault: 'none' }, more));
  t.match(result, { takenBack: true, userErrors: 0, foundBy: /^(evidence: errors|health)$/, remarks: [] });
});

t.test('an outage of both holds the rollout, which goes on when it is over', async (t) => {
  for (const { title, strategy } of OUTAGES.slice(0, 2)) {
    const evidence = { ...QUIET.evidence, ...(strategy as { evidence: object }).evidence };
    const { ok, said } = await runOutage(stage, { title, strategy: { evidence } });
    t.ok(ok, `${title}: ${said}`);
  }
});

t.test('a good canary goes from 5 to 100 % without a failed request', async (t) => {
  const { ok, userErrors, said, requests } = await runGood(stage, 1_000, QUIET);
  t.ok(ok, said);
  t.equal(userErrors, 0);
  t.ok(requests > 1_000, `${requests} requests`);
});

t.test('the program has survived all of it', async (t) => {
  t.ok(stage.lives, stage.log.slice(-20).join('\n'));
});

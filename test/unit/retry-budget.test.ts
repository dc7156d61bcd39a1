import t from 'tap';
import { RetryBudget } from '../../src/proxy/upstream/retry-budget.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

function requests(budget: RetryBudget, count: number, now: number): void {
  for (let i = 0; i < count; i++) budget.request(now);
}

/** Attempts that the budget gives out of `tries` at one moment. */
function taken(budget: RetryBudget, tries: number, now: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (budget.tryTake(now)) count++;
  return count;
}

t.test('attempts are a share of the requests', async (t) => {
  for (const percent of [1, 7, 20, 29, 57, 100]) {
    const budget = new RetryBudget({ percent, minimum: 0 });
    requests(budget, 1_000, 0);
    t.equal(taken(budget, 5_000, 0), percent * 10, `${percent} %`);
  }
});

t.test('with few requests the minimum is there', async (t) => {
  const budget = new RetryBudget({ percent: 20, minimum: 10 });
  t.equal(taken(budget, 1_000, 5_000), 100, 'ten a second for ten seconds');
  requests(budget, 10, 5_000);
  t.equal(taken(budget, 1_000, 5_000), 2);
});

t.test('the minimum is divided among the workers', async (t) => {
  const budget = new RetryBudget({ percent: 0, minimum: 10 }, 4);
  t.equal(taken(budget, 1_000, 0), 25);
});

t.test('nothing is nothing', async (t) => {
  const budget = new RetryBudget({ percent: 0, minimum: 0 });
  requests(budget, 1_000, 0);
  t.equal(taken(budget, 10, 0), 0);
});

t.test('requests and attempts are forgotten after ten seconds', async (t) => {
  const budget = new RetryBudget({ percent: 10, minimum: 0 });
  requests(budget, 100, 500);
  t.equal(taken(budget, 100, 9_999), 10, 'the first second is still in the window');
  requests(budget, 50, 9_999);
  t.equal(taken(budget, 100, 10_000), 0, 'its requests have gone, what they paid for is remembered');
  t.equal(taken(budget, 100, 18_999), 0);
  requests(budget, 40, 19_000);
  t.equal(taken(budget, 100, 19_000), 4);
});

t.test('a long silence leaves nothing behind', async (t) => {
  const budget = new RetryBudget({ percent: 50, minimum: 0 });
  requests(budget, 100, 1_000);
  t.equal(taken(budget, 10, 1_000), 10);
  t.equal(taken(budget, 10, 3_600_000), 0);
  requests(budget, 10, 3_600_000);
  t.equal(taken(budget, 10, 3_600_000), 5);
});

t.test('a clock that goes back stands still', async (t) => {
  const budget = new RetryBudget({ percent: 50, minimum: 0 });
  requests(budget, 10, 60_000);
  requests(budget, 10, 30_000);
  t.equal(taken(budget, 100, 0), 10);
});

t.test('against a list of what happened', async (t) => {
  const random = new SeededRandom(11);
  const config = { percent: 20, minimum: 1 };
  const budget = new RetryBudget(config);
  let past: { second: number; attempt: boolean }[] = [];
  let now = 123_456.7;
  let given = 0;
  for (let step = 0; step < 20_000; step++) {
    now += random.next() < 0.001 ? random.next() * 30_000 : random.next() * 40;
    const second = Math.floor(now / 1_000);
    past = past.filter((event) => event.second > second - 10);
    if (random.next() < 0.6) {
      budget.request(now);
      past.push({ second, attempt: false });
      continue;
    }
    const attempts = past.filter((event) => event.attempt).length;
    const allowed = (attempts + 1) * 100 <= (past.length - attempts) * config.percent + config.minimum * 1_000;
    if (budget.tryTake(now) !== allowed) t.fail(`step ${step}`);
    if (!allowed) continue;
    past.push({ second, attempt: true });
    given++;
  }
  t.ok(given > 1_000 && given < 7_000, `${given} attempts given`);
});

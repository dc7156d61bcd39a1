import t from 'tap';
import { KEPT, type Owner, RowAccounts } from '../../src/control/metrics/row-accounts.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const LENGTH = 2;

/** Rows of two numbers in the memory of two workers. */
function stage(rows: number) {
  const arrays = [new Float64Array(rows * LENGTH), new Float64Array(rows * LENGTH)];
  const accounts = new RowAccounts({ arrays, start: (row) => row * LENGTH, length: LENGTH });
  const count = (row: number, by: number, worker = 0): void => {
    arrays[worker]![row * LENGTH] = arrays[worker]![row * LENGTH]! + by;
    arrays[worker]![row * LENGTH + 1] = arrays[worker]![row * LENGTH + 1]! + 2 * by;
  };
  /** The first number by part; the second is always twice as much. */
  const totals = (version: string): Record<string, number> =>
    Object.fromEntries(
      accounts.totals(version).map(([part, [first = 0, second]]) => {
        if (second !== 2 * first) throw new Error(`${second} is not twice ${first}`);
        return [part, first];
      }),
    );
  return { accounts, count, totals };
}

const own = (row: number, version: string, part = ''): Owner => ({ row, version, part });

t.test('the workers of a row are summed', async (t) => {
  const { accounts, count, totals } = stage(2);
  accounts.apply([own(0, 'a'), own(1, 'b')]);
  count(0, 3, 0);
  count(0, 4, 1);
  count(1, 1);
  t.strictSame([totals('a'), totals('b'), totals('c')], [{ '': 7 }, { '': 1 }, {}]);
});

t.test('what was counted in a row before it had an owner is nobody’s', async (t) => {
  const { accounts, count, totals } = stage(1);
  count(0, 5);
  accounts.apply([own(0, 'a')]);
  count(0, 1);
  t.strictSame(totals('a'), { '': 1 });
});

t.test('who takes a row over begins at 0, who returns goes on where it was', async (t) => {
  const { accounts, count, totals } = stage(2);
  accounts.apply([own(0, 'a')]);
  count(0, 100);
  accounts.apply([]);
  count(0, 1);
  accounts.apply([own(0, 'b')]);
  t.strictSame(totals('b'), { '': 0 });
  count(0, 7);
  accounts.apply([own(0, 'b'), own(1, 'a')]);
  t.strictSame([totals('a'), totals('b')], [{ '': 101 }, { '': 7 }], 'a request that ended late is its own version’s');
  count(1, 1);
  accounts.apply([own(0, 'a'), own(1, 'b')]);
  count(0, 1);
  count(1, 1);
  t.strictSame([totals('a'), totals('b')], [{ '': 103 }, { '': 8 }], 'two that change places');
});

t.test('parts of a version keep what was theirs', async (t) => {
  const { accounts, count, totals } = stage(1);
  accounts.apply([own(0, 'a', 'canary')]);
  count(0, 10);
  accounts.apply([own(0, 'a', 'stable')]);
  count(0, 5);
  t.strictSame(totals('a'), { canary: 10, stable: 5 });
  accounts.apply([own(0, 'a', 'canary')]);
  count(0, 1);
  t.strictSame(totals('a'), { canary: 11, stable: 5 });
});

t.test('versions that are long gone are forgotten and begin at 0', async (t) => {
  const { accounts, count, totals } = stage(2);
  for (let i = 0; i <= KEPT; i++) {
    accounts.apply([own(0, `v${i}`)]);
    count(0, 1);
  }
  t.strictSame(totals('v0'), { '': 1 }, `${KEPT} others have come since, one of which is still there`);
  accounts.apply([own(0, 'last')]);
  t.strictSame(totals('v0'), {});
  t.strictSame(totals('v1'), { '': 1 });
  accounts.apply([own(1, 'v0')]);
  count(1, 2);
  t.strictSame(totals('v0'), { '': 2 });
});

t.test('whatever comes and goes, every total is what was counted for it', async (t) => {
  const random = new SeededRandom(4);
  const pick = (bound: number): number => Math.floor(random.next() * bound);
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const { accounts, count, totals } = stage(8);
  const truth = new Map<string, number>();
  const holders = new Map<number, string>();
  for (let round = 0; round < 2_000; round++) {
    const rows = [0, 1, 2, 3, 4, 5, 6, 7];
    const owners = names
      .filter(() => random.next() < 0.6)
      .map((name) => own(rows.splice(pick(rows.length), 1)[0]!, name, pick(2) === 0 ? 'x' : 'y'));
    accounts.apply(owners);
    for (const { row, version, part } of owners) {
      const key = `${version}/${part}`;
      for (const [held, holder] of holders) if (holder === key) holders.delete(held);
      holders.set(row, key);
      if (!truth.has(key)) truth.set(key, 0);
    }
    for (const [row, key] of holders) {
      const by = pick(5);
      count(row, by, pick(2));
      truth.set(key, truth.get(key)! + by);
    }
    const found = names.flatMap((name) =>
      Object.entries(totals(name)).map(([part, total]) => [`${name}/${part}`, total]),
    );
    const wrong = found.filter(([key, total]) => truth.get(key as string) !== total);
    if (wrong.length > 0) {
      t.fail(`round ${round}: ${JSON.stringify(wrong)}`);
      break;
    }
  }
  t.equal(truth.size, 12);
});

/** The data plane's half of passive health; and that both halves apply the same cap. */
import t from 'tap';
import { eject, ejectionCap, endEjection } from '../../src/model/ejection.ts';
import {
  CONSECUTIVE_5XX,
  CONSECUTIVE_GATEWAY,
  CONSECUTIVE_LOCAL,
  clearFlag,
  EJECTED,
  EJECTION_EVENTS,
  EJECTIONS,
  endpointRow,
  epochOf,
  flagsOf,
  newEndpointTable,
  setFlag,
  UNHEALTHY,
} from '../../src/model/endpoint-table.ts';
import type { OutlierConfig } from '../../src/model/policy-config.ts';
import { OutlierDetector } from '../../src/proxy/upstream/outlier.ts';

const CONFIG: OutlierConfig = {
  consecutive5xx: 5,
  consecutiveGateway: 4,
  consecutiveLocal: 3,
  baseEjection: 30_000,
  maxEjection: 300_000,
  maxEjectionPercent: 50,
  interval: 10_000,
  successRateMinimumHosts: 3,
  successRateMinimumRequests: 100,
  successRateStdevFactor: 1_900,
};

const REFUSED = 0;

function setUp(config: Partial<OutlierConfig> = {}, ids: readonly number[] = [3, 4, 5], mayEmpty = false) {
  const table = newEndpointTable();
  const detector = new OutlierDetector({ ...CONFIG, ...config }, table, ids, mayEmpty);
  const happens = (id: number, ...answers: readonly number[]): void => {
    for (const status of answers) {
      if (status === REFUSED) detector.failedLocally(id);
      else detector.answered(id, status);
    }
  };
  const ejected = (): number[] => ids.filter((id) => (flagsOf(table, id) & EJECTED) !== 0);
  const column = (id: number, name: number): number => table[endpointRow(id) + name]!;
  return { table, happens, ejected, column };
}

const times = (count: number, status: number): number[] => new Array<number>(count).fill(status);

t.test('rows of failures', async (t) => {
  const cases: readonly [name: string, config: Partial<OutlierConfig>, answers: readonly number[], ejects: boolean][] =
    [
      ['five times 500', {}, times(5, 500), true],
      ['four times 500', {}, times(4, 500), false],
      ['four times 500, a success, four times 500', {}, [...times(4, 500), 200, ...times(4, 500)], false],
      ['a 404 is a success of the endpoint', {}, [...times(4, 500), 404, 500], false],
      ['four times 503', {}, times(4, 503), true],
      ['502, 503, 504 are one row', {}, [502, 503, 504, 502], true],
      ['a 500 ends the row of gateway errors', {}, [502, 502, 502, 500], false],
      ['and belongs to the row of 5xx', {}, [502, 502, 502, 500, 500], true],
      ['505 is no gateway error', {}, times(4, 505), false],
      ['three times refused', {}, times(3, REFUSED), true],
      ['an answer of 500 ends the local row only', {}, [REFUSED, REFUSED, 500, REFUSED], false],
      ['local failures belong to the row of 5xx', {}, [REFUSED, REFUSED, 500, REFUSED, 500], true],
      ['local failures belong to the row of gateway errors', {}, [REFUSED, 503, REFUSED, 503], true],
      ['0 turns 5xx off', { consecutive5xx: 0 }, times(50, 500), false],
      ['0 turns gateway off', { consecutiveGateway: 0 }, times(4, 503), false],
      ['0 turns local off', { consecutiveLocal: 0 }, times(3, REFUSED), false],
      ['one is enough', { consecutive5xx: 1 }, [599], true],
    ];
  for (const [name, config, answers, ejects] of cases) {
    const { happens, ejected } = setUp(config);
    happens(4, ...answers);
    t.strictSame(ejected(), ejects ? [4] : [], name);
  }
});

t.test('what an ejection writes', async (t) => {
  const { table, happens, column } = setUp();
  const epoch = epochOf(table);
  happens(4, ...times(5, 500));
  t.equal(epochOf(table), epoch + 1, 'workers hear of it');
  t.equal(column(4, EJECTIONS), 1);
  t.equal(column(4, EJECTION_EVENTS), 1);
  t.equal(column(4, CONSECUTIVE_5XX), 0);
  happens(4, ...times(50, 503), ...times(50, REFUSED));
  for (const name of [CONSECUTIVE_5XX, CONSECUTIVE_GATEWAY, CONSECUTIVE_LOCAL]) {
    t.equal(column(4, name), 0, 'what was under way is not counted');
  }
  t.equal(column(4, EJECTION_EVENTS), 1, 'nor ejected twice');
});

t.test('a success writes nothing where there is nothing to end', async (t) => {
  const { table, happens, column } = setUp();
  const before = table.slice();
  happens(4, 200, 301, 404);
  t.strictSame(table, before);
  happens(4, 502, 200);
  t.equal(column(4, CONSECUTIVE_5XX), 0);
  t.equal(column(4, CONSECUTIVE_GATEWAY), 0);
});

t.test('failures are counted over all workers', async (t) => {
  const table = newEndpointTable();
  const workers = [1, 2].map(() => new OutlierDetector(CONFIG, table, [3, 4], false));
  for (let i = 0; i < 4; i++) workers[i % 2]!.answered(3, 500);
  t.equal(flagsOf(table, 3), 0);
  workers[0]!.answered(3, 500);
  t.equal(flagsOf(table, 3), EJECTED);
});

t.test('a cap that holds is asked once per row, and a place that is free again is taken', async (t) => {
  const { table, happens, ejected, column } = setUp({}, [3, 4]);
  happens(3, ...times(5, 500));
  happens(4, ...times(5, 500));
  t.strictSame(ejected(), [3]);
  t.equal(column(4, CONSECUTIVE_5XX), 0, 'the count begins again');
  t.equal(column(4, EJECTIONS), 0);
  clearFlag(table, 3, EJECTED);
  happens(4, ...times(4, 500));
  t.strictSame(ejected(), []);
  happens(4, 500);
  t.strictSame(ejected(), [4]);
});

interface CapCase {
  readonly name: string;
  readonly endpoints: number;
  readonly percent: number;
  readonly mayEmpty?: boolean;
  readonly unhealthy?: readonly number[];
  /** How many are out when all have failed, one after the other. */
  readonly out: number;
}

const CAPS: readonly CapCase[] = [
  { name: 'half of four', endpoints: 4, percent: 50, out: 2 },
  { name: 'half of five', endpoints: 5, percent: 50, out: 2 },
  { name: 'ten percent of three is one', endpoints: 3, percent: 10, out: 1 },
  { name: 'ten percent of twenty', endpoints: 20, percent: 10, out: 2 },
  { name: 'one of two', endpoints: 2, percent: 50, out: 1 },
  { name: 'never the only one', endpoints: 1, percent: 50, out: 0 },
  { name: 'the only one at 99', endpoints: 1, percent: 99, out: 0 },
  { name: 'the only one at 100', endpoints: 1, percent: 100, out: 1 },
  { name: 'all at 100', endpoints: 3, percent: 100, out: 3 },
  { name: 'none at 0', endpoints: 3, percent: 0, out: 0 },
  { name: 'all of a version that may be empty', endpoints: 3, percent: 10, mayEmpty: true, out: 3 },
  { name: 'the only one of a version that may be empty', endpoints: 1, percent: 50, mayEmpty: true, out: 1 },
  { name: 'none at 0, even of a version that may be empty', endpoints: 2, percent: 0, mayEmpty: true, out: 0 },
  { name: 'never the last that is available', endpoints: 4, percent: 75, unhealthy: [2, 3], out: 3 },
  { name: 'the other one is unhealthy', endpoints: 2, percent: 50, unhealthy: [1], out: 1 },
];

t.test('the cap, in both halves', async (t) => {
  for (const { name, endpoints, percent, mayEmpty = false, unhealthy = [], out } of CAPS) {
    const ids = Array.from({ length: endpoints }, (_, id) => id);
    const { table, happens, ejected } = setUp({ maxEjectionPercent: percent }, ids, mayEmpty);
    for (const id of unhealthy) setFlag(table, id, UNHEALTHY);
    for (const id of ids) happens(id, ...times(5, 500));
    t.equal(ejected().length, out, `${name}: worker`);

    const other = newEndpointTable();
    for (const id of unhealthy) setFlag(other, id, UNHEALTHY);
    const cap = ejectionCap(endpoints, percent, mayEmpty);
    const done = ids.filter((id) => eject(other, ids, id, cap));
    t.strictSame(done, ejected(), `${name}: control plane`);
    t.ok(mayEmpty || percent === 100 || ids.some((id) => flagsOf(other, id) === 0), `${name}: somebody is left`);
    for (const id of done) t.equal(other[endpointRow(id) + EJECTION_EVENTS], 1);
  }
});

t.test('the end of an ejection', async (t) => {
  const { table, happens, column } = setUp();
  t.notOk(endEjection(table, 4), 'there is none');
  happens(4, ...times(5, 500));
  // A worker may have counted between its look at the flag and now.
  Atomics.store(table, endpointRow(4) + CONSECUTIVE_5XX, 4);
  t.ok(endEjection(table, 4));
  t.equal(flagsOf(table, 4), 0);
  t.equal(column(4, CONSECUTIVE_5XX), 0);
  t.equal(column(4, EJECTIONS), 1);
});

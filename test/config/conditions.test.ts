/** Conditions of strategies: what each form means, and what is said about those that mean nothing. */
import t from 'tap';
import { parseCondition } from '../../src/control/config/condition.ts';
import { BUILT_IN_METRICS } from '../../src/model/built-in-metrics.ts';
import type { Operand } from '../../src/model/rollout-config.ts';

const value = (number: number): Operand => ({ kind: 'value', value: number });
const baseline = (operator: '+' | '-' | '*', by: number): Operand => ({ kind: 'baseline', operator, by });

type Good = readonly [text: string, metric: string, operator: string, operand: Operand, window?: number];

const GOOD: readonly Good[] = [
  ['error_rate < 1%', 'error_rate', '<', value(1)],
  ['error_rate<0.001', 'error_rate', '<', value(0.001)],
  ['  success_rate   >=   99.9 %  ', 'success_rate', '>=', value(99.9)],
  ['availability > 0', 'availability', '>', value(0)],
  ['health_score >= 100%', 'health_score', '>=', value(100)],
  ['p50 <= 1.5s', 'p50', '<=', value(1500)],
  ['p999 < 0', 'p999', '<', value(0)],
  ['throughput > 100', 'throughput', '>', value(100)],
  ['throughput > 6000/m', 'throughput', '>', value(100)],
  ['p95 <= baseline * 1.2', 'p95', '<=', baseline('*', 1.2)],
  ['p95<=baseline*1.2', 'p95', '<=', baseline('*', 1.2)],
  ['p99 < baseline + 20ms over 5m', 'p99', '<', baseline('+', 20), 300_000],
  ['error_rate <= baseline + 0.1%', 'error_rate', '<=', baseline('+', 0.1)],
  ['error_rate <= baseline', 'error_rate', '<=', baseline('+', 0)],
  ['availability >= baseline - 1% over 24h', 'availability', '>=', baseline('-', 1), 86_400_000],
  ['throughput >= baseline * 0.5 over 1s', 'throughput', '>=', baseline('*', 0.5), 1000],
  ['task_success_rate < 98%', 'task_success_rate', '<', value(0.98)],
  ['task_success_rate < 99.9%', 'task_success_rate', '<', value(0.999)],
  ['profit > -2.5e3', 'profit', '>', value(-2500)],
  ['drift > -5%', 'drift', '>', value(-0.05)],
  ['replicas == 3', 'replicas', '==', value(3)],
  ['replicas != baseline', 'replicas', '!=', baseline('+', 0)],
  ['memory <= baseline + 10%', 'memory', '<=', baseline('+', 0.1)],
  ['over > 1 over 10s', 'over', '>', value(1), 10_000],
];

for (const [text, metric, operator, operand, window = null] of GOOD) {
  t.test(text, async (t) => {
    t.strictSame(parseCondition(text), { ok: { text: text.trim(), metric, operator, operand, window } });
  });
}

const SHAPE = 'must be a condition such as error_rate < 1%, p95 <= baseline * 1.2 or error_rate > 5% over 5m, not';
const PLAIN = 'is compared with a number such as 0.98, or a percentage such as 98%, which is the same, not with';

const BAD: readonly (readonly [text: string, fault: string])[] = [
  ['', `${SHAPE} ""`],
  ['error_rate', `${SHAPE} "error_rate"`],
  ['error_rate <', `${SHAPE} "error_rate <"`],
  ['< 1%', `${SHAPE} "< 1%"`],
  ['error_rate is 1%', `${SHAPE} "error_rate is 1%"`],
  [`error_rate < ${'1'.repeat(300)}`, `${SHAPE} "error_rate < ${'1'.repeat(64)}…"`],
  ['eror_rate < 1%', 'no metric eror_rate; did you mean error_rate?'],
  ['error_rates < 1%', 'no metric error_rates; did you mean error_rate?'],
  ['ERROR_RATE < 1%', 'no metric ERROR_RATE; did you mean error_rate?'],
  ['P95 < 1s', 'no metric P95; did you mean p95?'],
  ['p90 < 1s', 'no metric p90; percentiles are p50, p95, p99 and p999'],
  ['queue_dept < 1', 'no metric queue_dept; did you mean queue_depth?'],
  ['a.b < 1', 'a.b cannot be the name of a metric; one is written in lower case letters, digits and "_"'],
  ['Sales < 1', 'Sales cannot be the name of a metric; one is written in lower case letters, digits and "_"'],
  ['error_rate = 1%', 'cannot compare with =; write <, <=, > or >='],
  ['error_rate => 1%', 'cannot compare with =>; write <, <=, > or >='],
  ['error_rate == 0%', 'error_rate is measured and hardly ever equals a value; write <, <=, > or >= in place of =='],
  ['p95 < 200', 'p95 is compared with a duration such as 250ms, not with "200"'],
  ['p95 < 5%', 'p95 is compared with a duration such as 250ms, not with "5%"'],
  ['error_rate < 101%', 'error_rate is compared with a percentage from 0 to 100 such as 5%, not with "101%"'],
  ['error_rate < 20ms', 'error_rate is compared with a percentage from 0 to 100 such as 5%, not with "20ms"'],
  ['throughput < -1', 'throughput is compared with requests per second such as 100, not with "-1"'],
  ['queue < 20ms', `queue ${PLAIN} "20ms"`],
  ['queue < many', `queue ${PLAIN} "many"`],
  ['p95 < baseline * 20ms', 'baseline is multiplied by a number above 0 such as 1.2, not by "20ms"'],
  ['p95 < baseline * 0', 'baseline is multiplied by a number above 0 such as 1.2, not by "0"'],
  ['p95 < baseline + 20', 'p95 is compared with a duration such as 250ms, not with "20"'],
  ['p95 < baseline / 2', 'cannot read "baseline / 2"; write baseline, baseline * 1.2, baseline + 0.1% or the like'],
  ['p95 < baseline 2', 'cannot read "baseline 2"; write baseline, baseline * 1.2, baseline + 0.1% or the like'],
  ['error_rate < 1% over 5', 'a window is a duration such as 5m, not "5"'],
  ['error_rate < 1% over 25h', 'a window is from 1s to 24h, not 25h: further back nothing is kept'],
  ['error_rate < 1% over 10ms', 'a window is from 1s to 24h, not 10ms: further back nothing is kept'],
];

for (const [text, fault] of BAD) {
  t.test(`not: ${text.slice(0, 40)}`, async (t) => {
    t.strictSame(parseCondition(text, ['queue_depth']), { fault });
  });
}

t.test('a metric that is read elsewhere may be like one of the proxy, and is compared as it is', async (t) => {
  t.match(parseCondition('p90 < 0.2', ['p90']), { ok: { metric: 'p90', operand: value(0.2) } });
});

t.test('every metric of the proxy has a unit that is not guessed', async (t) => {
  for (const metric of Object.keys(BUILT_IN_METRICS)) {
    const units = ['5%', '20ms', '100/s'].filter((text) => 'ok' in parseCondition(`${metric} < ${text}`));
    t.equal(units.length, 1, metric);
  }
});

t.test('hostile texts take no time', async (t) => {
  for (const text of [
    ' '.repeat(1e6),
    `a <${' over'.repeat(1e5)}`,
    `a < 1${' '.repeat(190)}x`,
    `a < ${'1 '.repeat(90)}`,
  ]) {
    const start = process.cpuUsage().user;
    t.ok('fault' in parseCondition(text));
    t.ok(process.cpuUsage().user - start < 200_000, `${text.length} characters`);
  }
});

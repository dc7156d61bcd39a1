/**
 * The configuration and the rules in config/prometheus, as promtool sees them: valid, and each alert fires when it should and does not when it should
 * not. What a unit test of a rule asks is read here too, so that no alert goes without both.
 *
 * docs/prometheus.md lists every rule, and every alert says where to read on.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { lacking, run } from './commands.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'config/prometheus');
const TESTS = readdirSync(join(FOLDER, 'tests')).map((name) => join(FOLDER, 'tests', name));
const read = (file: string): string => readFileSync(file, 'utf8');

interface Alert {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const rulesOf = <T>(file: string): readonly T[] =>
  (parse(read(join(FOLDER, file))) as { groups: { rules: T[] }[] }).groups.flatMap(({ rules }) => rules);

const alerts = rulesOf<Alert>('alert-rules.yaml');
const records = rulesOf<{ readonly record: string; readonly expr: string }>('recording-rules.yaml');

interface RuleTest {
  readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  readonly promql_expr_test?: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
}
const tests = TESTS.flatMap((file) => (parse(read(file)) as { tests: RuleTest[] }).tests);

/** Alerts that some test looks at, and whether it wants them to fire. */
const lookedAt: readonly { readonly of: RegExp; readonly fires: boolean; readonly named: string }[] = tests.flatMap(
  ({ alert_rule_test: alertTests = [], promql_expr_test: queries = [] }) => [
    ...alertTests.map(({ alertname, exp_alerts }) => ({
      ...{ of: new RegExp(`^${alertname}$`), fires: exp_alerts.length > 0, named: '' },
    })),
    ...queries.flatMap(({ expr, exp_samples }) => {
      const name = /ALERTS\{alertname=~?"([^"]+)"/.exec(expr)?.[1];
      const named = JSON.stringify(exp_samples);
      return name === undefined ? [] : [{ of: new RegExp(`^(${name})$`), fires: exp_samples.length > 0, named }];
    }),
  ],
);

t.test('promtool', { skip: lacking('promtool') }, async (t) => {
  const clean = async (...args: readonly string[]): Promise<void> => {
    const { status, output, errors } = await run('promtool', args);
    t.equal(status, 0, `promtool ${args.slice(0, 2).join(' ')}: ${output}${errors}`);
  };
  await clean('check', 'config', join(FOLDER, 'prometheus.yaml'));
  await clean('check', 'rules', '--lint=all', '--lint-fatal', join(FOLDER, 'recording-rules.yaml'));
  await clean('check', 'rules', '--lint=all', '--lint-fatal', join(FOLDER, 'alert-rules.yaml'));
  await Promise.all(TESTS.map((file) => clean('test', 'rules', file)));
});

t.test('every alert has a test in which it fires, and one in which it does not', async (t) => {
  for (const { alert } of alerts) {
    const found = lookedAt.filter(({ of }) => of.test(alert));
    const severalFire = ({ of, named }: (typeof found)[number]): boolean =>
      !of.source.includes('|') || named.includes(`"${alert}\\"`);
    t.ok(
      found.some((each) => each.fires && severalFire(each)),
      `${alert} fires`,
    );
    t.ok(
      found.some(({ fires }) => !fires),
      `${alert} does not fire`,
    );
  }
});

t.test('every recording rule has a test, or is what an alert with one is made of', async (t) => {
  const text = TESTS.map(read).join('\n');
  for (const { record } of records) t.ok(text.includes(record) || isUsed(record), record);
});

const isUsed = (record: string): boolean =>
  read(join(FOLDER, 'alert-rules.yaml')).includes(record) || records.some(({ expr }) => expr.includes(record));

t.test('every alert says how bad it is, what it is, and where to read on', async (t) => {
  for (const { alert, labels, annotations } of alerts) {
    t.match(alert, /^Sluice[A-Z]/);
    t.ok(['critical', 'warning', 'info'].includes(labels.severity ?? ''), `severity of ${alert}`);
    t.strictSame(Object.keys(annotations), ['summary', 'description', 'runbook'], alert);
    t.match(annotations.description, /\.$/, `${alert} is described in sentences`);
    const [page = '', anchor = ''] = (annotations.runbook ?? '').split('#');
    t.ok(existsSync(join(ROOT, page)), `${page} of ${alert} is there`);
    if (existsSync(join(ROOT, page)))
      t.ok(anchorsOf(read(join(ROOT, page))).includes(anchor), `${page} has #${anchor}`);
  }
});

/** Of its headings, as they are made of them on a repository's page. */
const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

t.test('the page lists the rules', async (t) => {
  const page = read(join(ROOT, 'docs/prometheus.md'));
  const rows = [...page.matchAll(/^\| `(\w+)` \| (critical|warning|info) \| .+ \|$/gm)];
  t.strictSame(
    rows.map(([, name, severity]) => [name, severity]),
    alerts.map(({ alert, labels }) => [alert, labels.severity]),
  );
  const listed = [...page.matchAll(/^\| `(\w+(?::\w+)+)` \|/gm)].map(([, name]) => name);
  t.strictSame(
    listed,
    records.map(({ record }) => record),
  );
});

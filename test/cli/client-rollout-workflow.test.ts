/** config/github-actions-canary.yaml: it is YAML, its steps are what docs/ci.md shows, and its commands do what they are there for. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import type { RolloutView } from '../../src/control/rollout/view.ts';
import { APPLIED, called, FakeAdmin, versionView } from './client-admin-server.ts';
import { PROGRESSING, ROLLED_BACK, SUCCEEDED, summaryOf } from './client-rollout-views.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const TEXT = readFileSync(at('config/github-actions-canary.yaml'), 'utf8');

interface Step {
  readonly name: string;
  readonly if?: 'failure()' | 'cancelled()' | 'always()';
  readonly run: string;
}

const workflow = parse(TEXT, { strict: true }) as {
  readonly on: { readonly workflow_dispatch: { readonly inputs: object } };
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: { readonly rollout: { readonly 'timeout-minutes': number; readonly steps: readonly Step[] } };
};
const { steps, 'timeout-minutes': longest } = workflow.jobs.rollout;

t.test('its form', async (t) => {
  t.strictSame(Object.keys(workflow.on.workflow_dispatch.inputs), ['version', 'endpoint']);
  for (const { name, run } of steps) t.notMatch(run, '${{', `${name}: no input is pasted into a script`);
  const minutes = Number(/--timeout (\d+)m/.exec(steps.map(({ run }) => run).join())?.[1]);
  t.ok(minutes > 0 && minutes < longest, 'the rollout ends before the job');
  const page = readFileSync(at('docs/ci.md'), 'utf8');
  for (const step of steps.filter(({ name }) => page.includes(`- name: ${name}\n`))) {
    t.ok(page.includes(`run: ${step.run}\n`), `docs/ci.md shows ${step.name} as it is`);
  }
});

const ENV: Readonly<Record<string, string>> = {
  ...{ SERVICE: 'shop', VERSION: 'v2', ENDPOINT: 'http://127.0.0.1:3003', REASON: 'build 7' },
};

/** The words of a command as a shell makes them of it: no more than quotes, variables and one redirection. */
function wordsOf(run: string): { readonly argv: readonly string[]; readonly file: string | null } {
  const [command = '', file = null] = run.split(' >> ');
  const words = command.match(/"[^"]*"|\S+/g) ?? [];
  const [program, ...argv] = words.map((word) =>
    word.replaceAll('"', '').replace(/\$(\w+)/g, (_, name: string) => ENV[name] ?? `no variable ${name}`),
  );
  return { argv: program === 'sluice' ? argv : [run], file };
}

/** Runs the steps as GitHub does, those of them that their `if` says. */
async function running(t: Test, end: RolloutView) {
  const admin = await new FakeAdmin().listen();
  t.teardown(() => admin.close());
  admin
    .on('PUT /api/v1/services/shop/versions/v2', { body: { version: versionView('v2', 0), created: true, ...APPLIED } })
    .on('POST /api/v1/services/shop/rollouts/risk', { body: PROGRESSING.risk })
    .on('POST /api/v1/services/shop/rollouts', { status: 201, body: end })
    .on('POST /api/v1/rollouts/shop-7/abort', { body: ROLLED_BACK })
    .on('GET /api/v1/rollouts', { body: { rollouts: [summaryOf(end)] } })
    .on('GET /api/v1/rollouts/shop-7', { body: end })
    .on('GET /api/v1/rollouts/shop-7/why', {
      body: { id: 'shop-7', phase: end.phase, answer: 'It fails.', decision: null, holding: [] },
    })
    .on('GET /api/v1/rollouts/shop-7/report', { type: 'text/markdown; charset=utf-8', body: '# Report\n' });
  const ran: (readonly [name: string, code: number])[] = [];
  let summary = '';
  for (const step of steps) {
    const failed = ran.some(([, code]) => code !== 0);
    if (step.if === undefined ? failed : step.if === 'failure()' && !failed) continue;
    const { argv, file } = wordsOf(step.run);
    const { code, out } = await called(admin, argv, { env: { SLUICE_TOKEN: 'a-token' } });
    if (file !== null) summary += out;
    ran.push([step.name, code]);
  }
  return { ran, summary };
}

t.test('a good version, and a build that is cancelled behind it', async (t) => {
  const { ran, summary } = await running(t, SUCCEEDED);
  t.strictSame(ran, [
    ['Register the version', 0],
    ['Risk', 0],
    ['Roll it out, and wait', 0],
    ['End the rollout with the build', 0],
    ['Report', 0],
  ]);
  t.equal(summary, '# Report\n');
});

t.test('a bad one fails the build, which says why', async (t) => {
  const { ran, summary } = await running(t, ROLLED_BACK);
  t.strictSame(ran, [
    ['Register the version', 0],
    ['Risk', 0],
    ['Roll it out, and wait', 1],
    ['Why it was taken back', 0],
    ['End the rollout with the build', 0],
    ['Report', 0],
  ]);
  t.equal(summary, '# Report\n');
});

/** Strategies that come with the start call: JSON pointers, and nothing that only a file may name. */
import t from 'tap';
import { resolveStrategy } from '../../src/control/config/given-strategy.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { OperationError } from '../../src/control/problems.ts';
import type { RolloutsConfig } from '../../src/model/rollout-config.ts';
import { oneService } from './fault-cases.ts';

const { rollouts } = parseConfig(
  oneService(`metrics: { queue_depth: { http: { url: "http://h/", path: v } } }
strategies:
  kept:
    steps:
      - { weight: 5, for: 10m }
      - { webhook: { url: "http://gate/", secret: env:GATE } }
    hooks: { start: [ { name: a, command: [ /bin/true ], env: { A: b } } ] }
`),
  'sluice.yaml',
  { GATE: 'a-secret' },
);

/** Field and message of every fault. */
function faultsOf(raw: unknown, given: RolloutsConfig = rollouts): readonly string[] {
  try {
    resolveStrategy('given', raw, given);
    return [];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    t.equal(error.code, 'invalid_request');
    return error.faults.map(({ field, message }) => `${field}: ${message}`);
  }
}

t.test('one that is written out', async (t) => {
  const strategy = resolveStrategy('mine', { steps: [{ weight: 5, for: '10m', pass: ['queue_depth < 5'] }] }, rollouts);
  t.match(strategy, { name: 'mine', steps: [{ name: 'step-1', weight: 5, for: 600_000 }], evidence: { alpha: 0.001 } });
});

t.test('one that builds on a preset, or on one of the file', async (t) => {
  const standard = rollouts.strategies.find(({ name }) => name === 'standard')!;
  t.strictSame(resolveStrategy('x', { extends: 'standard', evidence: { maxFailures: 7 } }, rollouts), {
    ...standard,
    name: 'x',
    evidence: { ...standard.evidence, maxFailures: 7 },
  });
  const kept = rollouts.strategies.find(({ name }) => name === 'kept')!;
  const built = resolveStrategy('x', { extends: 'kept', minRequests: 5 }, rollouts);
  t.strictSame(built, { ...kept, name: 'x', minRequests: 5 }, 'secrets and programs that the file names stay');
});

t.test('secrets and programs are named by the file alone', async (t) => {
  const secrets = [{ env: 'HOME' }, { file: '/etc/passwd' }, 'env:HOME', 'file:/etc/passwd'];
  for (const secret of secrets) {
    t.strictSame(
      faultsOf({ steps: [{ weight: 5 }, { webhook: { url: 'http://h/', secret } }] }),
      [
        '/strategy/steps/1/webhook/secret: only the configuration may name secrets; put the strategy there, or extend one that has it',
      ],
      JSON.stringify(secret),
    );
  }
  const start = [
    { name: 'a', command: ['/bin/true'] },
    { name: 'b', webhook: { url: 'http://h/', secret: 'env:X' } },
  ];
  const told = [
    '/strategy/hooks/start/0/command: only the configuration may name programs; put the strategy there, or use a webhook',
    '/strategy/hooks/start/1/webhook/secret: only the configuration may name secrets; put the strategy there, or extend one that has it',
  ];
  t.strictSame(faultsOf({ steps: [{ weight: 5 }], hooks: { start } }), told);
  t.strictSame(faultsOf({ extends: 'kept', hooks: { start } }), told, 'nor in place of those that are there');
  t.strictSame(faultsOf({ extends: 'kept', hooks: { success: start } }).length, 2, 'nor beside them');
});

t.test('faults have JSON pointers', async (t) => {
  t.strictSame(faultsOf({ steps: [{ weight: 20 }, { weight: 5 }], rollbackWhen: [{ when: 'p95 > 5' }] }), [
    '/strategy/steps/1/weight: 5 is less than the 20 before it; weights rise from step to step, the way down is the rollback',
    '/strategy/rollbackWhen/0/when: p95 is compared with a duration such as 250ms, not with "5"',
  ]);
  t.strictSame(faultsOf({ steps: [{ weight: '5 percent' }], 'a/b~c': 1 }).toSorted(), [
    '/strategy/a~1b~0c: unknown key; known here: extends, steps, evidence, rollbackWhen, gradual, minRequests, unavailableFor, stepDeadline, hooks, approvals, approveAboveRisk, whenBusy, freeze, healthScore',
    '/strategy/steps/0/weight: must be a percentage from 0 to 100, not "5 percent"',
  ]);
  t.strictSame(faultsOf({ extends: 'standrad' }), ['/strategy/extends: no strategy standrad; did you mean standard?']);
  t.strictSame(faultsOf({ evidence: 'off' }), [
    '/strategy: steps is missing; add it, or extend another strategy such as extends: standard',
  ]);
  t.strictSame(faultsOf({ extends: 'kept', approvals: { required: 1, roles: ['human'] } }), [
    '/strategy/approvals/roles: roles are known by signatures, and there are no approvers; add approvers',
  ]);
});

t.test('anything else is refused, not a crash', async (t) => {
  for (const raw of [null, undefined, 5, 'standard', [], [[]], { steps: null }, { steps: [null] }, { extends: 5 }]) {
    t.ok(faultsOf(raw).length > 0, JSON.stringify(raw));
  }
  const hostile = JSON.parse(
    '{"__proto__":{"steps":[{"weight":5}]},"constructor":1,"steps":[{"__proto__":1,"weight":5}]}',
  );
  t.ok(faultsOf(hostile).length > 0);
  t.ok(faultsOf({ steps: Array.from({ length: 500 }, () => ({})) }).length <= 100, 'faults are bounded');
});

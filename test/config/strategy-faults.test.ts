/** Faults of strategies beside their steps, each with its place and its words. */
import t from 'tap';
import { type FaultCase, faultsOf, oneService } from './fault-cases.ts';

/** Strategies begin at line 6, the keys of each at column 5. */
const file = (strategies: string): string => oneService(`strategies:\n${strategies}`);

/** One strategy called own, whose keys begin at line 7; one step of 5 % where it has no steps itself. */
const own = (rest: string): string =>
  file(`  own:\n${/^steps:/m.test(rest) ? '' : '    steps: [ { weight: 5 } ]\n'}${rest.replace(/^(?=.)/gm, '    ')}`);

const APPROVER =
  'approvers: [ { name: a, role: human, publicKey: "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\\n-----END PUBLIC KEY-----" } ]\n';

const CASES: readonly FaultCase[] = [
  {
    name: 'conditions',
    text: own(
      'steps:\n  - { weight: 5, pass: [ "eror_rate < 1%", "p95 < 200" ] }\nrollbackWhen: [ { when: "p95 => 1s" } ]\n',
    ),
    faults: [
      '8:30: strategies.own.steps[0].pass[0]: no metric eror_rate; did you mean error_rate?',
      '8:48: strategies.own.steps[0].pass[1]: p95 is compared with a duration such as 250ms, not with "200"',
      '9:29: strategies.own.rollbackWhen[0].when: cannot compare with =>; write <, <=, > or >=',
    ],
  },
  {
    name: 'rules',
    text: own(
      'rollbackWhen:\n  - { when: "error_rate > 1% over 5m", window: 10m }\n  - { when: "error_rate > 1%", window: 48h }\n  - { when: "error_rate > 1%", level: warning, action: gradual }\n  - { when: "error_rate > 1%", action: slowly, level: fatal }\n  - {}\n',
    ),
    faults: [
      '9:52: strategies.own.rollbackWhen[0].window: 10m is not the 5m that the condition says itself; remove one of the two',
      '10:44: strategies.own.rollbackWhen[1].window: a window is from 1s to 24h, not 48h: further back nothing is kept',
      '11:52: strategies.own.rollbackWhen[2].action: a warning takes nothing back; remove action, or write level: critical',
      '12:44: strategies.own.rollbackWhen[3].action: no action slowly; there are: immediate, gradual',
      '12:59: strategies.own.rollbackWhen[3].level: no level fatal; there are: critical, warning',
      '13:9: strategies.own.rollbackWhen[4]: when is missing; add it',
    ],
  },
  {
    name: 'evidence',
    text: own('evidence: { alpha: 0.6, slo: 100%, tolerance: 0.5, proof: 0, maxFailures: 1.5 }\n'),
    faults: [
      '8:24: strategies.own.evidence.alpha: must be a number from 0 to 0.5, not 0.6',
      '8:34: strategies.own.evidence.slo: must be from 0.001 to 99, not "100%"',
      '8:51: strategies.own.evidence.tolerance: must be a number from 1 to 100, not 0.5',
      '8:63: strategies.own.evidence.proof: must be a number from 0.000001 to 0.5, not 0',
      '8:79: strategies.own.evidence.maxFailures: must be a whole number from 0 to 1000000000, not 1.5',
    ],
  },
  {
    name: 'evidence that is neither on nor off',
    text: own('evidence: strict\n'),
    faults: ['8:15: strategies.own.evidence: must be on, off or a mapping such as {maxFailures: 20}, not "strict"'],
  },
  {
    name: 'shares of alpha',
    text: own('evidence: { shares: { errors: 0.7, latency: 0.4 } }\n'),
    faults: ['8:17: strategies.own.evidence.shares: shares sum to 1.1, must be at most 1; lower one by 0.1'],
  },
  {
    name: 'shares of tests that are off',
    text: own('evidence: { latency: off, shares: { errors: 0.5, slo: 0.1, latency: 0.1 } }\n'),
    faults: [
      '8:59: strategies.own.evidence.shares.slo: there is no SLO; add slo, such as slo: 1%',
      '8:73: strategies.own.evidence.shares.latency: latency is off; remove one of the two',
    ],
  },
  {
    name: 'nothing to prove',
    text: own('evidence: { earlyPass: true }\n'),
    faults: ['8:28: strategies.own.evidence.earlyPass: has no SLO to prove; add one such as slo: 1%'],
  },
  {
    name: 'a percentile that is not looked at',
    text: own('evidence: { latency: { percentile: p50 } }\n'),
    faults: ['8:40: strategies.own.evidence.latency.percentile: no percentile p50; there are: p95, p99'],
  },
  {
    name: 'hooks',
    text: own(
      'hooks:\n  start:\n    - { name: a }\n    - { name: a, webhook: { url: "http://x/" }, command: [ x ] }\n    - { name: b, webhook: { url: "http://x/" }, env: { A: b } }\n    - { name: c, command: [ "echo hello" ] }\n  rollback: [ { name: a, webhook: { url: "http://x/" }, onFailure: rollback } ]\n  success: [ { name: a, webhook: { url: "http://x/" }, onFailure: rollback } ]\n',
    ),
    faults: [
      '10:11: strategies.own.hooks.start[0]: must have exactly one of webhook and command, not none',
      '11:11: strategies.own.hooks.start[1]: must have exactly one of webhook and command, not both',
      '11:19: strategies.own.hooks.start[1].name: a is there twice; give each hook its own name',
      '12:53: strategies.own.hooks.start[2].env: a webhook has no environment; remove it',
      '13:33: strategies.own.hooks.start[3].command[0]: there is no shell that would take it apart; write each word as an entry of its own',
      '14:72: strategies.own.hooks.rollback[0].onFailure: the version is being taken back already; write ignore, or remove it',
      '15:71: strategies.own.hooks.success[0].onFailure: the version is stable by then; write ignore, or remove it',
    ],
  },
  {
    name: 'variables of a hook',
    text: own('hooks: { step: [ { name: a, command: [ x, "" ], env: { A-B: c, C: 5 } } ] }\n'),
    faults: [
      '8:60: strategies.own.hooks.step[0].env.A-B: must be the name of an environment variable such as TEAM',
      '8:71: strategies.own.hooks.step[0].env.C: must be a text; numbers and flags want quotes; it is not shown here, as it may be a secret',
    ],
  },
  {
    name: 'approvals without approvers',
    text: own('approvals: { roles: [ human ] }\n'),
    faults: [
      '8:18: strategies.own.approvals.roles: roles are known by signatures, and there are no approvers; add approvers',
    ],
  },
  {
    name: 'more roles than approvals',
    text: own('approvals: { required: 1, roles: [ human, agent ] }\n') + APPROVER,
    faults: [
      '8:28: strategies.own.approvals.required: 1 cannot be of 2 roles; write required: 2',
      '8:47: strategies.own.approvals.roles[1]: none of the approvers is of the role agent; add one to approvers, or remove the role',
    ],
  },
  {
    name: 'more approvals than approvers',
    text: own('approvals: { required: 2, roles: [ agent, agent ] }\n') + APPROVER,
    faults: [
      '8:28: strategies.own.approvals.required: 2 must agree, and there is one approver; add to approvers, or lower it',
      '8:40: strategies.own.approvals.roles[0]: none of the approvers is of the role agent; add one to approvers, or remove the role',
      '8:47: strategies.own.approvals.roles[1]: agent is there twice; remove one of the two',
    ],
  },
  {
    name: 'freeze windows',
    text: own(
      'freeze:\n  - { name: always }\n  - { name: b, from: "08:00", to: "08:00" }\n  - { name: c, from: "24:00" }\n  - { name: d, days: [ sat ], timeZone: Mars/Olympus }\n  - { name: e, from: 25:00, days: [ saturday ] }\n',
    ),
    faults: [
      '9:9: strategies.own.freeze[0]: is the whole week; say on which days, or from when to when',
      '10:9: strategies.own.freeze[1]: begins and ends at "08:00"; give it a length',
      '11:26: strategies.own.freeze[2].from: 24:00 is the end of a day; write 00:00 and the day after',
      '12:45: strategies.own.freeze[3].timeZone: no time zone Mars/Olympus; write one such as Europe/Berlin or UTC',
      '13:26: strategies.own.freeze[4].from: must be a time of day such as 22:00, not "25:00"',
      '13:41: strategies.own.freeze[4].days[0]: no day saturday; there are: sun, mon, tue, wed, thu, fri, sat',
    ],
  },
  {
    name: 'weights of the health score',
    text: own('healthScore: { success: 0.5, latency: 0.3 }\n'),
    faults: ['8:5: strategies.own.healthScore: weights sum to 0.8, must be 1; raise one by 0.2'],
  },
  {
    name: 'weights of the health score that are too much',
    text: own('healthScore: { success: 0.9, metric: { name: Tasks, weight: 0.2 } }\n'),
    faults: [
      '8:50: strategies.own.healthScore.metric.name: must be the name of a metric such as task_success_rate: lower case letters, digits and "_", not "Tasks"',
    ],
  },
  {
    name: 'weights of the health score that are above 1',
    text: own('healthScore: { success: 0.9, metric: { name: tasks, weight: 0.2 } }\n'),
    faults: ['8:5: strategies.own.healthScore: weights sum to 1.1, must be 1; lower one by 0.1'],
  },
  {
    name: 'a start while another one runs',
    text: own('whenBusy: wait\n'),
    faults: ['8:15: strategies.own.whenBusy: no answer wait; there are: refuse, queue, supersede'],
  },
  {
    name: 'numbers out of bounds',
    text: own(
      'minRequests: 0\nunavailableFor: 0s\nstepDeadline: 1000h\napproveAboveRisk: 101\ngradual: { by: 0, every: 10 }\n',
    ),
    faults: [
      '8:18: strategies.own.minRequests: must be a whole number from 1 to 1000000, not 0',
      '9:21: strategies.own.unavailableFor: must be from 100ms to 1h, not "0s"',
      '10:19: strategies.own.stepDeadline: must be from 0s to 720h, not "1000h"',
      '11:23: strategies.own.approveAboveRisk: must be a whole number from 0 to 100, not 101',
      '12:20: strategies.own.gradual.by: must be a percentage from 0.01 to 100, not 0',
      '12:30: strategies.own.gradual.every: must be a duration such as 250ms, 10s, 5m or 1h, not 10: write 10s for seconds or 10ms for milliseconds',
    ],
  },
  {
    name: 'a strategy to extend that is not there',
    text: file('  own: { extends: standrad }\n'),
    faults: ['6:19: strategies.own.extends: no strategy standrad; did you mean standard?'],
  },
  {
    name: 'a strategy that extends itself',
    text: file('  own: { extends: own, steps: [ { weight: 5 } ] }\n'),
    faults: ['6:19: strategies.own.extends: a strategy cannot extend itself; name another one'],
  },
  {
    name: 'strategies that extend each other',
    text: file('  a: { extends: b }\n  b: { extends: c }\n  c: { extends: a }\n'),
    faults: ['8:17: strategies.c.extends: a extends b extends c extends a; break the circle'],
  },
  {
    name: 'a fault below is told once, and one of the whole where it shows',
    text: file(
      '  b: { extends: a, gradual: { by: 0 } }\n  a: { steps: [ { weight: 5 }, { weight: 4 } ] }\n  c: { extends: d, evidence: { latency: off } }\n  d: { steps: [ { weight: 5 } ], evidence: { shares: { errors: 0.5, latency: 0.5 } } }\n',
    ),
    faults: [
      '6:35: strategies.b.gradual.by: must be a percentage from 0.01 to 100, not 0',
      '7:42: strategies.a.steps[1].weight: 4 is less than the 5 before it; weights rise from step to step, the way down is the rollback',
      '8:20: strategies.c.evidence.shares.latency: latency is off; remove one of the two',
    ],
  },
  {
    name: 'what builds on something misshapen is not looked at',
    text: file('  b: { extends: a, gradual: { by: 0 } }\n  a: { steps: 5 }\n'),
    faults: [
      '6:35: strategies.b.gradual.by: must be a percentage from 0.01 to 100, not 0',
      '7:15: strategies.a.steps: must be a list of steps, not 5',
    ],
  },
  {
    name: 'faults of a preset’s part',
    text: file('  own: { extends: standard, steps: ~ }\n'),
    faults: ['6:36: strategies.own.steps: has no value; it must be a list of steps, or be left out'],
  },
];

for (const { name, text, env, faults } of CASES) {
  t.test(name, async (t) => t.strictSame(faultsOf(text, env), faults));
}

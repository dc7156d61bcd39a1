/** Faults of the steps of strategies, each with its place and its words. */
import t from 'tap';
import { type FaultCase, faultsOf, oneService } from './fault-cases.ts';

/** Strategies begin at line 6, the keys of each at column 5. */
const file = (strategies: string): string => oneService(`strategies:\n${strategies}`);

/** One strategy called own, whose keys begin at line 7; one step of 5 % where it has no steps itself. */
const own = (rest: string): string =>
  file(`  own:\n${/^steps:/m.test(rest) ? '' : '    steps: [ { weight: 5 } ]\n'}${rest.replace(/^(?=.)/gm, '    ')}`);

const CASES: readonly FaultCase[] = [
  {
    name: 'no steps',
    text: file('  own: { whenBusy: queue }\n'),
    faults: ['6:3: strategies.own: steps is missing; add it, or extend another strategy such as extends: standard'],
  },
  {
    name: 'empty steps',
    text: own('steps: []\n'),
    faults: ['7:5: strategies.own.steps: is empty; add at least one entry'],
  },
  {
    name: 'no strategies',
    text: oneService('strategies: {}\n'),
    faults: ['5:1: strategies: is empty; add at least one entry'],
  },
  {
    name: 'an unknown key',
    text: own('rollbckWhen: []\n'),
    faults: ['8:5: strategies.own.rollbckWhen: unknown key; did you mean rollbackWhen?'],
  },
  {
    name: 'a step that does nothing',
    text: own('steps:\n  - { name: a }\n  - { weight: 5 }\n'),
    faults: [
      '8:9: strategies.own.steps[0]: does nothing; add one of weight, ramp, pause, preflight, webhook, analysis, override',
    ],
  },
  {
    name: 'a step that is two',
    text: own('steps:\n  - { weight: 5, pause: 10m }\n'),
    faults: ['8:9: strategies.own.steps[0]: has weight and pause; each is a step of its own'],
  },
  {
    name: 'a step that is no mapping',
    text: own('steps: [ 5, { weight: 5 } ]\n'),
    faults: ['7:14: strategies.own.steps[0]: must be a step such as {weight: 5, for: 10m}, not 5'],
  },
  {
    name: 'for with something else',
    text: own(
      'steps:\n  - { weight: 5 }\n  - { pause: manual, for: 5m }\n  - { override: on, for: 5m }\n  - { ramp: { to: 9, by: 1, every: 1s }, for: 5m }\n',
    ),
    faults: [
      '9:26: strategies.own.steps[1].for: goes with weight; write the time behind pause, such as pause: 10m',
      '10:25: strategies.own.steps[2].for: goes with weight; remove it',
      '11:46: strategies.own.steps[3].for: goes with weight; a ramp has every, inside of it',
    ],
  },
  {
    name: 'pass with something else',
    text: own(
      'steps:\n  - { weight: 5 }\n  - { pause: 10m, pass: [ "error_rate < 1%" ] }\n  - { analysis: { for: 1m, pass: [ "error_rate < 1%" ] }, pass: [ "error_rate < 1%" ] }\n',
    ),
    faults: [
      '9:23: strategies.own.steps[1].pass: a step with pause does not look at it; put it into a step with a weight, or into an analysis',
      '10:63: strategies.own.steps[2].pass: a step with analysis does not look at it; put it under analysis',
    ],
  },
  {
    name: 'two steps of one name',
    text: own(
      'steps: [ { name: step-2, weight: 5 }, { weight: 6 }, { name: a, weight: 7 }, { name: a, weight: 8 } ]\n',
    ),
    faults: [
      '7:43: strategies.own.steps[1]: step-2 is the name of step 1 already; give each step its own name',
      '7:90: strategies.own.steps[3].name: a is the name of step 3 already; give each step its own name',
    ],
  },
  {
    name: 'a falling weight',
    text: own('steps:\n  - { weight: 20% }\n  - { pause: 10m }\n  - { weight: 5% }\n'),
    faults: [
      '10:19: strategies.own.steps[2].weight: 5 is less than the 20 before it; weights rise from step to step, the way down is the rollback',
    ],
  },
  {
    name: 'weights out of bounds',
    text: own('steps: [ { weight: 101 }, { weight: -1 }, { weight: 0.001 } ]\n'),
    faults: [
      '7:24: strategies.own.steps[0].weight: must be a percentage from 0 to 100, not 101',
      '7:41: strategies.own.steps[1].weight: must be a percentage from 0 to 100, not -1',
      '7:57: strategies.own.steps[2].weight: 0.001 is finer than 0.01; write 0',
    ],
  },
  {
    name: 'a ramp that does not rise',
    text: own('steps:\n  - { weight: 50 }\n  - { ramp: { to: 50, by: 10, every: 1m } }\n'),
    faults: ['9:23: strategies.own.steps[1].ramp.to: the weight is 50 already; a ramp leads to a higher one'],
  },
  {
    name: 'a ramp without its parts',
    text: own('steps: [ { ramp: { to: 50 } } ]\n'),
    faults: [
      '7:16: strategies.own.steps[0].ramp: by is missing; add it',
      '7:16: strategies.own.steps[0].ramp: every is missing; add it',
    ],
  },
  {
    name: 'a ramp that takes no time',
    text: own('steps: [ { ramp: { to: 50, by: 0, every: 0s } } ]\n'),
    faults: ['7:36: strategies.own.steps[0].ramp.by: must be a percentage from 0.01 to 100, not 0'],
  },
  {
    name: 'more weights than there is room for',
    text: own('steps: [ { ramp: { to: 100, by: 0.5, every: 1m } } ]\n'),
    faults: ['7:5: strategies.own.steps: have 200 different weights; 120 are the most, so write fewer or a larger by'],
  },
  {
    name: 'no weight at all',
    text: own('steps: [ { pause: 10m }, { weight: 0 } ]\n'),
    faults: ['7:5: strategies.own.steps: never give the version a weight; add a step such as {weight: 5, for: 10m}'],
  },
  {
    name: 'more steps than are sensible',
    text: own(`steps: [ ${'{ weight: 5 }, '.repeat(101)} ]\n`),
    faults: ['7:5: strategies.own.steps: are 101; 100 are the most, and a ramp does many at once'],
  },
  {
    name: 'a preflight behind a weight',
    text: own('steps:\n  - { weight: 0 }\n  - { preflight: {} }\n  - { weight: 5 }\n  - { preflight: {} }\n'),
    faults: [
      '11:11: strategies.own.steps[3].preflight: comes too late, users have the version already; move it before the first weight',
    ],
  },
  {
    name: 'a preflight that checks nothing',
    text: own('steps: [ { preflight: { health: false } }, { weight: 5 } ]\n'),
    faults: ['7:16: strategies.own.steps[0].preflight: checks nothing; leave health on, or add warmUp or smoke'],
  },
  {
    name: 'smoke tests',
    text: own(
      'steps:\n  - preflight:\n      warmUp: { path: warm }\n      smoke:\n        - { path: "/a b" }\n        - { path: "http://x/" }\n        - { name: check-1, path: /, headers: { Host: x, X-A: "a\\nb" }, expect: { latency: 10s } }\n  - { weight: 5 }\n',
    ),
    faults: [
      '9:27: strategies.own.steps[0].preflight.warmUp.path: must be a path that begins with "/", not "warm"; write it with percent signs for what is not ASCII, and without spaces and "#"',
      '11:23: strategies.own.steps[0].preflight.smoke[0].path: must be a path that begins with "/", not "/a b"; write it with percent signs for what is not ASCII, and without spaces and "#"',
      '12:23: strategies.own.steps[0].preflight.smoke[1].path: must be a path that begins with "/", not "http://x/"; write it with percent signs for what is not ASCII, and without spaces and "#"',
      '13:23: strategies.own.steps[0].preflight.smoke[2].name: check-1 is there twice; give each check its own name',
      '13:52: strategies.own.steps[0].preflight.smoke[2].headers.Host: Host is written by Sluice itself; remove it here',
      '13:66: strategies.own.steps[0].preflight.smoke[2].headers.X-A: must be one line without control characters',
      '13:95: strategies.own.steps[0].preflight.smoke[2].expect.latency: "10s" is more than the timeout of the check; lower it, or raise timeout',
    ],
  },
  {
    name: 'a status that no answer has',
    text: own(
      'steps: [ { preflight: { smoke: [ { path: /, expect: { status: 600 } }, { path: /, expect: { status: [ 200, ok ] } } ] } } ]\n',
    ),
    faults: [
      '7:67: strategies.own.steps[0].preflight.smoke[0].expect.status: must be a status from 200 to 599, or a list of them, not 600',
      '7:112: strategies.own.steps[0].preflight.smoke[1].expect.status[1]: must be a status from 200 to 599, not "ok"',
    ],
  },
  {
    name: 'pauses',
    text: own('steps: [ { pause: aproval }, { pause: 10 }, { pause: 0s }, { weight: 5 } ]\n'),
    faults: [
      '7:23: strategies.own.steps[0].pause: must be approval, manual or a duration such as 10m, not "aproval"',
      '7:43: strategies.own.steps[1].pause: must be approval, manual or a duration such as 10m, not 10',
      '7:58: strategies.own.steps[2].pause: must be from 1s to 720h, not "0s"',
    ],
  },
  {
    name: 'webhook steps',
    text: own(
      'steps: [ { webhook: { url: ftp://x } }, { webhook: { url: "http://u:p@x/" } }, { webhook: {} }, { weight: 5 } ]\n',
    ),
    faults: [
      '7:32: strategies.own.steps[0].webhook.url: must be a URL such as https://hooks.example.com/sluice, not "ftp://x"',
      '7:63: strategies.own.steps[1].webhook.url: must not have a user or a password; put a secret into the path or the query',
      '7:86: strategies.own.steps[2].webhook: url is missing; add it',
    ],
  },
  {
    name: 'secrets that cannot be had',
    text: own(
      'steps: [ { weight: 5 }, { webhook: { url: "http://x/", secret: env:NOT_SET } }, { webhook: { url: "http://x/", secret: hunter2 } } ]\n',
    ),
    faults: [
      '7:68: strategies.own.steps[1].webhook.secret: the environment variable of this name is not set; set it before Sluice starts',
      '7:124: strategies.own.steps[2].webhook.secret: must say where the secret is, env:NAME or file:PATH; it is not shown here, as it may be a secret',
    ],
  },
  {
    name: 'an analysis without conditions',
    text: own('steps: [ { weight: 5 }, { analysis: { for: 5m } }, { analysis: { for: 5m, pass: [] } } ]\n'),
    faults: [
      '7:31: strategies.own.steps[1].analysis: pass is missing; add it',
      '7:79: strategies.own.steps[2].analysis.pass: is empty; add at least one entry',
    ],
  },
  {
    name: 'an override that is neither',
    text: own('steps: [ { weight: 5 }, { override: yes } ]\n'),
    faults: ['7:41: strategies.own.steps[1].override: must be on or off, not "yes"'],
  },
];

for (const { name, text, env, faults } of CASES) {
  t.test(name, async (t) => t.strictSame(faultsOf(text, env), faults));
}

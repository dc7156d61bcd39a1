/** Metrics that are read elsewhere, approvers, notifications: what they mean, and faults with their places. */
import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { parseConfig, parseConfigTexts } from '../../src/control/config/load.ts';
import type { RolloutsConfig } from '../../src/model/rollout-config.ts';
import { type FaultCase, faultsOf, oneService } from './fault-cases.ts';

const SPKI = { type: 'spki', format: 'pem' } as const;
const PKCS8 = { type: 'pkcs8', format: 'pem' } as const;
const lead = generateKeyPairSync('ed25519', { publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 });
const bot = generateKeyPairSync('ed25519', { publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 });
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024, publicKeyEncoding: SPKI, privateKeyEncoding: PKCS8 });
const directory = t.testdir({
  'lead.pub': `\n${lead.publicKey}\n`,
  token: 'a-token-in-a-file\n',
  empty: '',
  'rsa.pub': rsa.publicKey,
});

const rolloutsOf = (rest: string, env = {}): RolloutsConfig =>
  parseConfig(oneService(rest), `${directory}/sluice.yaml`, env).rollouts;

t.test('metrics', async (t) => {
  const { metrics } = rolloutsOf(
    `metrics:
  cpu: { prometheus: { url: "http://127.0.0.1:9090/prom", query: 'rate(x{job="{{version}}",w="{{ window }}"}[1m])' } }
  sales:
    http: { url: "https://bi.example.com/rate?of={{version}}", path: data.0.rate, headers: { X-Team: "{{service}}" } }
    timeout: 1s
    retries: 0
    every: 1m
    token: { file: ./token }
  tasks: { http: { url: "http://h/", path: v }, token: env:TOKEN }
`,
    { TOKEN: 'a-token' },
  );
  t.strictSame(metrics, [
    {
      name: 'cpu',
      source: {
        kind: 'prometheus',
        url: 'http://127.0.0.1:9090/prom',
        query: 'rate(x{job="{{version}}",w="{{ window }}"}[1m])',
      },
      timeout: 5000,
      retries: 1,
      every: 15_000,
      token: null,
    },
    {
      name: 'sales',
      source: {
        kind: 'http',
        url: 'https://bi.example.com/rate?of={{version}}',
        path: 'data.0.rate',
        headers: { 'X-Team': '{{service}}' },
      },
      timeout: 1000,
      retries: 0,
      every: 60_000,
      token: `file:${directory}/token`,
    },
    {
      name: 'tasks',
      source: { kind: 'http', url: 'http://h/', path: 'v', headers: {} },
      timeout: 5000,
      retries: 1,
      every: 15_000,
      token: 'env:TOKEN',
    },
  ]);
});

t.test('approvers', async (t) => {
  const { approvers } = rolloutsOf(
    `approvers:\n  - { name: lead, role: human, publicKey: { file: lead.pub } }\n  - name: bot\n    role: agent\n    publicKey: |\n${bot.publicKey.replace(/^(?=.)/gm, '      ')}`,
  );
  t.strictSame(approvers, [
    { name: 'lead', role: 'human', publicKey: lead.publicKey },
    { name: 'bot', role: 'agent', publicKey: bot.publicKey },
  ]);
});

t.test('notifications', async (t) => {
  const { notifications } = rolloutsOf(
    `notifications:
  - { name: chat, kind: slack, url: "https://hooks.example.com/T0", escalate: { after: 10m, to: pager } }
  - { name: pager, kind: alertmanager, url: "http://127.0.0.1:9093", severity: critical, types: [ "rollout.*", alert ] }
  - { name: log, kind: webhook, url: "http://h/", severity: info, secret: env:HOOK, template: "{{type}} {{data.phase}}: {{message}}" }
`,
    { HOOK: 'a-secret' },
  );
  t.strictSame(notifications, [
    {
      name: 'chat',
      kind: 'slack',
      url: 'https://hooks.example.com/T0',
      severity: 'warning',
      types: [],
      template: null,
      secret: null,
      escalate: { after: 600_000, to: 'pager' },
    },
    {
      name: 'pager',
      kind: 'alertmanager',
      url: 'http://127.0.0.1:9093/',
      severity: 'critical',
      types: ['rollout.*', 'alert'],
      template: null,
      secret: null,
      escalate: null,
    },
    {
      name: 'log',
      kind: 'webhook',
      url: 'http://h/',
      severity: 'info',
      types: [],
      template: '{{type}} {{data.phase}}: {{message}}',
      secret: 'env:HOOK',
      escalate: null,
    },
  ]);
});

t.test('files that secrets and keys are in are watched, whether they are there or not', async (t) => {
  const text = oneService(
    'approvers: [ { name: lead, role: human, publicKey: { file: lead.pub } } ]\nmetrics: { a: { http: { url: "http://h/", path: v }, token: file:token } }\n' +
      'strategies: { own: { steps: [ { weight: 5 }, { webhook: { url: "http://h/", secret: file:token } } ] } }\n',
  );
  const { dependencies } = parseConfigTexts([{ text, file: `${directory}/sluice.yaml` }], {});
  t.strictSame([...dependencies].toSorted(), [`${directory}/lead.pub`, `${directory}/token`]);
});

const MAKE_ONE =
  'make one with: openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out key.pub';
const oneLine = (pem: string): string => JSON.stringify(pem);

const CASES: readonly FaultCase[] = [
  {
    name: 'metrics',
    text: oneService(`metrics:
  error_rate: { http: { url: "http://h/", path: v } }
  a: {}
  b: { http: { url: "http://h/", path: v }, prometheus: { url: "http://h/", query: up } }
  c: { prometheus: { url: "http://h/?a=b", query: "up{v='{{verson}}'}" } }
  d: { http: { url: "http://{{version}}.internal/", path: v } }
  e: { http: { url: "http://h/{{pod}}", path: a..b, headers: { Host: x, X-A: "{{ab}}" } } }
  f: { http: { url: "http://h/", path: v }, every: 0s, token: env:NOT_SET }
`),
    faults: [
      '6:3: metrics.error_rate: error_rate is measured by the proxy itself; give the metric another name',
      '7:3: metrics.a: must have exactly one of prometheus and http, not none',
      '8:3: metrics.b: must have exactly one of prometheus and http, not both',
      '9:27: metrics.c.prometheus.url: must not have a query; write it into query',
      '9:51: metrics.c.prometheus.query: nothing is filled in for {{verson}}; did you mean version?',
      '10:21: metrics.d.http.url: nothing is filled into the host; write the host, and fill in behind it',
      '11:21: metrics.e.http.url: nothing is filled in for {{pod}}; there are: service, version, stable, window',
      '11:47: metrics.e.http.path: must be keys with dots between such as data.value, not "a..b"',
      '11:64: metrics.e.http.headers.Host: Host is written by Sluice itself; remove it here',
      '11:78: metrics.e.http.headers.X-A: nothing is filled in for {{ab}}; there are: service, version, stable, window',
      '12:52: metrics.f.every: must be from 1s to 1h, not "0s"',
      '12:63: metrics.f.token: the environment variable of this name is not set; set it before Sluice starts',
    ],
  },
  {
    name: 'names of metrics',
    text: oneService('metrics: { CPU: { http: { url: "http://h/", path: v } } }\n'),
    faults: [
      '5:12: metrics.CPU: must be the name of a metric such as task_success_rate: lower case letters, digits and "_"',
    ],
  },
  {
    name: 'the faults of conditions name the metrics that there are',
    text: oneService(`metrics: { queue_depth: { http: { url: "http://h/", path: v } } }
strategies: { own: { steps: [ { weight: 5, pass: [ "queue_dept < 5", "queue_depth < 5" ] } ] } }
`),
    faults: ['6:52: strategies.own.steps[0].pass[0]: no metric queue_dept; did you mean queue_depth?'],
  },
  {
    name: 'keys of approvers',
    text: oneService(`approvers:
  - { name: a, role: human, publicKey: ${oneLine(lead.publicKey)} }
  - { name: a, role: agent, publicKey: ${oneLine(lead.publicKey)} }
  - { name: b, role: human, publicKey: ${oneLine(lead.privateKey)} }
  - { name: c, role: human, publicKey: ${oneLine(rsa.publicKey)} }
  - { name: d, role: human, publicKey: hunter2 }
  - { name: e, role: human, publicKey: ${oneLine(lead.publicKey.replace('MCow', 'MCox'))} }
  - { name: f, role: human, publicKey: { file: ${directory}/rsa.pub } }
  - { name: g, role: human, publicKey: { file: ${directory}/nowhere.pub } }
`),
    faults: [
      '7:13: approvers[1].name: a is there twice; give each approver a name',
      '7:40: approvers[1].publicKey: is the key of a already; each approver needs a key of its own',
      '8:40: approvers[2].publicKey: is a private key; keep that to yourself and give the public one',
      `9:40: approvers[3].publicKey: is a key of rsa, not of Ed25519; ${MAKE_ONE}`,
      `10:40: approvers[4].publicKey: is no public key in PEM; ${MAKE_ONE}`,
      `11:40: approvers[5].publicKey: is no public key in PEM; ${MAKE_ONE}`,
      `12:48: approvers[6].publicKey.file: ${directory}/rsa.pub is a key of rsa, not of Ed25519; ${MAKE_ONE}`,
      `13:48: approvers[7].publicKey.file: no such file: ${directory}/nowhere.pub`,
    ],
  },
  {
    name: 'shapes of approvers; how many there are is not counted then',
    text: oneService(`approvers:
  - { name: a, role: robot, publicKey: 5 }
  - { name: b, role: human }
strategies: { own: { steps: [ { weight: 5 } ], approvals: { required: 5 } } }
`),
    faults: [
      '6:22: approvers[0].role: no role robot; there are: human, agent',
      '6:40: approvers[0].publicKey: must be a public key in PEM, or {file: PATH}; it is not shown here, as it may be a secret',
      '7:5: approvers[1]: publicKey is missing; add it',
    ],
  },
  {
    name: 'channels',
    text: oneService(`notifications:
  - { name: a, kind: email, url: "http://h/" }
  - { name: b, kind: slack, url: hooks.example.com, secret: env:NOT_SET }
  - { name: c, kind: webhook, url: "http://h/", severity: fatal, types: [ "rolout.*" ] }
  - { name: d, kind: webhook, url: "http://h/", template: "{{ mesage }} {{data.a b}}", escalate: { after: 0s } }
`),
    faults: [
      '6:22: notifications[0].kind: no kind email; there are: webhook, slack, alertmanager',
      '7:34: notifications[1].url: must be a URL such as https://hooks.example.com/sluice, not "hooks.example.com"',
      '7:53: notifications[1].secret: signs a webhook, and slack does not look at it; remove it',
      '7:61: notifications[1].secret: the environment variable of this name is not set; set it before Sluice starts',
      '8:59: notifications[2].severity: no severity fatal; there are: info, warning, critical',
      '9:88: notifications[3].escalate: to is missing; add it',
    ],
  },
  {
    name: 'types and templates of channels',
    text: oneService(`notifications:
  - { name: c, kind: webhook, url: "http://h/", types: [ "rolout.*", rollout.stepp ] }
  - { name: c, kind: webhook, url: "http://h/", template: "{{ mesage }}" }
  - { name: d, kind: webhook, url: "http://h/", template: "{{data.a b}}" }
`),
    faults: [
      '6:58: notifications[0].types[0]: no event type begins with rolout.; did you mean rollout.*?',
      '6:70: notifications[0].types[1]: no event type rollout.stepp; did you mean rollout.step?',
      '7:13: notifications[1].name: c is there twice; give each channel its own name',
      '7:59: notifications[1].template: nothing is filled in for {{ mesage }}; did you mean message?',
      '8:59: notifications[2].template: nothing is filled in for {{data.a b}}; there are: message, type, service, version, severity, at',
    ],
  },
  {
    name: 'escalations',
    text: oneService(`notifications:
  - { name: a, kind: webhook, url: "http://h/a", escalate: { after: 1m, to: b } }
  - { name: b, kind: webhook, url: "http://h/b", escalate: { after: 1m, to: a } }
  - { name: c, kind: webhook, url: "http://h/c", escalate: { after: 1m, to: c } }
  - { name: d, kind: webhook, url: "http://h/d", escalate: { after: 1m, to: a } }
  - { name: pager, kind: webhook, url: "http://h/e", escalate: { after: 1m, to: pagr } }
`),
    faults: [
      '6:77: notifications[0].escalate.to: leads back to a; let the last channel escalate to nobody',
      '7:77: notifications[1].escalate.to: leads back to b; let the last channel escalate to nobody',
      '8:77: notifications[2].escalate.to: is the channel itself; name another one',
      '10:81: notifications[4].escalate.to: no channel pagr; there are: a, b, c, d',
    ],
  },
];

for (const { name, text, env, faults } of CASES) {
  t.test(name, async (t) => t.strictSame(faultsOf(text, env), faults));
}

t.test('no fault repeats what may be a key', async (t) => {
  const hidden = lead.privateKey.split('\n')[1]!;
  for (const value of [oneLine(lead.privateKey), oneLine(hidden), `[ ${oneLine(hidden)} ]`]) {
    const faults = faultsOf(oneService(`approvers: [ { name: a, role: human, publicKey: ${value} } ]\n`));
    t.ok(faults.length > 0);
    t.notMatch(faults.join('\n'), hidden);
  }
});

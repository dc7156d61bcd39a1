// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment are what is tested
/** What the control plane keeps to itself: environment, state, the admin API with its secrets, events, the access log. */
import { generateKeyPairSync } from 'node:crypto';
import { join, resolve } from 'node:path';
import t from 'tap';
import { parseConfig, parseConfigTexts } from '../../src/control/config/load.ts';
import { LARGEST_FILE } from '../../src/control/config/surroundings.ts';
import type { SluiceConfig } from '../../src/model/config.ts';
import { CERTIFICATE, PRIVATE_KEY } from './certificate.ts';
import { type FaultCase, faultsOf, oneService } from './fault-cases.ts';

const TOKEN = 'correct-horse-battery';
const OTHER = 'staple-correct-horse';
const ENV = { CI: TOKEN, OPS: OTHER, AGAIN: TOKEN, SHORT: 'hunter2', EMPTY: '', SPACED: 'correct horse battery' };

const parse = (rest: string, env: Readonly<Record<string, string>> = ENV): SluiceConfig =>
  parseConfig(oneService(rest), 'sluice.yaml', env);

t.test('environment', async (t) => {
  t.equal(parse('').environment, 'default');
  t.equal(parse('', { SLUICE_ENVIRONMENT: 'staging' }).environment, 'staging');
  t.equal(parse('', { SLUICE_ENVIRONMENT: '' }).environment, 'default');
  t.equal(parse('environment: production\n', { SLUICE_ENVIRONMENT: 'staging' }).environment, 'production');
  t.strictSame(faultsOf(oneService(''), { SLUICE_ENVIRONMENT: 'a b' }), [
    '1:1: the environment variable SLUICE_ENVIRONMENT must be a name such as production, not "a b"',
  ]);
});

t.test('data', async (t) => {
  t.equal(parse('').data, null);
  t.equal(parse('data: ./state\n').data, resolve('state'));
  t.equal(parse('data: /var/lib/sluice\n').data, '/var/lib/sluice');
  t.equal(parse('admin: {}\n').data, resolve('data'));
  t.equal(parse('admin: {}\ndata: state\n').data, resolve('state'));
});

t.test('the admin API', async (t) => {
  const defaults = { tokens: [], hosts: [], origins: [], publicMetrics: false };
  t.equal(parse('').admin, null);
  t.strictSame(parse('admin: {}\n').admin, { listen: { host: '127.0.0.1', port: 9901 }, ...defaults });
  t.strictSame(parse('admin: { tokens: [] }\n').admin, { listen: { host: '127.0.0.1', port: 9901 }, ...defaults });
  t.strictSame(parse('admin: "[::1]:0"\n').admin, { listen: { host: '::1', port: 0 }, ...defaults });
  t.match(
    parse(`admin:
  listen: 9901
  tokens: [ { name: ci, role: operator, env: CI }, { name: ops, role: admin, env: OPS } ]
  hosts: [ Ops.Internal, "[::1]", 10.0.0.1 ]
  origins: [ "https://Ops.example.com/", "http://127.0.0.1:3000", "https://ops.example.com:443" ]
  publicMetrics: true
`).admin,
    {
      listen: { host: '0.0.0.0', port: 9901 },
      tokens: [
        { name: 'ci', role: 'operator' },
        { name: 'ops', role: 'admin' },
      ],
      hosts: ['ops.internal', '[::1]', '10.0.0.1'],
      origins: ['https://ops.example.com', 'http://127.0.0.1:3000', 'https://ops.example.com'],
      publicMetrics: true,
    },
  );
  for (const address of ['localhost:1', '127.0.0.1:1', '127.9.9.9:1', '"[::1]:1"', '"[0:0:0:0:0:0:0:1]:1"']) {
    t.doesNotThrow(() => parse(`admin: ${address}\n`), address);
  }
});

t.test('secrets', async (t) => {
  const directory = t.testdir({ token: `${TOKEN}\r\n`, lines: 'one\ntwo\n\n' });
  const text = oneService(`admin:
  tokens: [ { name: a, role: viewer, file: token }, { name: b, role: viewer, env: OPS } ]
events:
  webhooks:
    - { name: a, url: "http://h/", secret: env:CI }
    - { name: b, url: "http://h/", secret: file:lines }
    - { name: c, url: "http://h/", secret: { file: ./lines } }
    - { name: d, url: "http://h/" }
`);
  const { config, dependencies } = parseConfigTexts([{ text, file: 'sluice.yaml', directory }], ENV);
  const secrets = [...config.admin!.tokens, ...config.events.webhooks].map(({ secret }) => secret);
  t.strictSame(
    secrets.map((secret) => secret?.reveal()),
    [TOKEN, OTHER, TOKEN, 'one\ntwo', 'one\ntwo', undefined],
  );
  const lines = `file:${join(directory, 'lines')}`;
  t.strictSame(
    secrets.map((secret) => secret?.source),
    [`file:${join(directory, 'token')}`, 'env:OPS', 'env:CI', lines, lines, undefined],
  );
  t.strictSame(dependencies, [join(directory, 'token'), join(directory, 'lines')]);
  t.notMatch(JSON.stringify(config), TOKEN);
});

t.test('events and the access log', async (t) => {
  t.strictSame(parse('').events, { retention: 90 * 24 * 3_600_000, webhooks: [] });
  t.strictSame(
    parse(`events:
  retention: 24h
  webhooks: [ { name: chat, url: "https://hooks.example.com", types: [ weights.changed, "endpoint.*", alert, "*" ] } ]
`).events,
    {
      retention: 86_400_000,
      webhooks: [
        { name: 'chat', url: 'https://hooks.example.com/', types: ['weights.changed', 'endpoint.*', 'alert', '*'] },
      ],
    },
  );
  const plain = { format: 'json', sample: 100, errors: true, buffer: 2 ** 20 };
  t.equal(parse('').accessLog, null);
  t.strictSame(parse('accessLog: {}\n').accessLog, { path: '-', ...plain });
  t.strictSame(parse('accessLog: "-"\n').accessLog, { path: '-', ...plain });
  t.strictSame(parse('accessLog: ./a.log\n').accessLog, { path: resolve('a.log'), ...plain });
  t.strictSame(
    parse('accessLog: { path: /var/log/a, format: combined, sample: 0.5%, errors: false, buffer: 64KiB }\n').accessLog,
    { path: '/var/log/a', format: 'combined', sample: 0.5, errors: false, buffer: 65_536 },
  );
});

t.test('an access log where no file can be', async (t) => {
  const folder = t.testdir({ file: '' });
  const faultsAt = (path: string): readonly string[] => faultsOf(oneService(`accessLog: { path: ${path} }\n`));
  t.strictSame(faultsAt(`${folder}/file`), []);
  t.strictSame(faultsAt(`${folder}/new`), []);
  t.strictSame(faultsAt(folder), [`5:20: accessLog.path: ${folder} is a directory; name a file in it`]);
  const missing = (directory: string): string[] => [
    `5:20: accessLog.path: there is no directory ${directory}; create it, or name another`,
  ];
  t.strictSame(faultsAt(`${folder}/no/log`), missing(`${folder}/no`));
  t.strictSame(faultsAt(`${folder}/file/log`), missing(`${folder}/file`));
  t.strictSame(faultsOf(oneService(`accessLog: ${folder}\n`)), [
    `5:12: accessLog: ${folder} is a directory; name a file in it`,
  ]);
});

/** `line` is the whole of line 5. */
const faulty = (name: string, line: string, ...faults: string[]): FaultCase => ({
  name,
  text: oneService(`${line}\n`),
  env: ENV,
  faults,
});

const tokens = (list: string): string => `admin: { tokens: [ ${list} ] }`;

const ADDRESSES: readonly FaultCase[] = [
  faulty(
    'an address beyond loopback without tokens',
    'admin: { listen: ":9901" }',
    '5:18: admin.listen: without tokens everyone who reaches 0.0.0.0 may do everything; add tokens, or listen on 127.0.0.1',
  ),
  faulty(
    'the same in short',
    'admin: 9901',
    '5:8: admin: without tokens everyone who reaches 0.0.0.0 may do everything; add tokens, or listen on 127.0.0.1',
  ),
  faulty(
    'the same with an empty list',
    'admin: { tokens: [], listen: "10.0.0.1:1" }',
    '5:30: admin.listen: without tokens everyone who reaches 10.0.0.1 may do everything; add tokens, or listen on 127.0.0.1',
  ),
  faulty(
    'the address of the proxy',
    'admin: 127.0.0.1:8080',
    '5:8: admin: the proxy listens on 0.0.0.0:8080; choose another port',
  ),
  {
    name: 'the address of the proxy, which is the default one',
    text: 'listen: [ ":1", "localhost:9901" ]\nadmin: {}\nservices: { s: { versions: { v: { endpoints: ["http://a"] } } } }\n',
    faults: ['2:1: admin: the proxy listens on localhost:9901; choose another port'],
  },
  faulty(
    'what is no address',
    'admin: { listen: everywhere }',
    '5:18: admin.listen: must be an address such as 127.0.0.1:8080, :8080 or [::1]:8080, not "everywhere"',
  ),
  faulty(
    'another type',
    'admin: true',
    '5:8: admin: must be an address or a mapping such as {listen: 127.0.0.1:9901}, not true',
  ),
  faulty(
    'nothing',
    'admin:',
    '5:1: admin: has no value; it must be an address or a mapping such as {listen: 127.0.0.1:9901}, or be left out',
  ),
  faulty(
    'hosts and origins',
    'admin: { hosts: [ "ops:80" ], origins: [ ops, "https://ops/x", "https://a..b", "https://u@ops" ] }',
    '5:19: admin.hosts[0]: must be a host without a port such as ops.internal, not "ops:80"',
    '5:42: admin.origins[0]: must be an origin such as https://ops.example.com, not "ops"',
    '5:47: admin.origins[1]: must be an origin such as https://ops.example.com, not "https://ops/x"',
    '5:64: admin.origins[2]: "a..b" cannot be the name of a host; write a name such as shop.internal, or an address',
    '5:80: admin.origins[3]: must be an origin such as https://ops.example.com, not "https://u@ops"',
  ),
];

const TOKENS: readonly FaultCase[] = [
  faulty(
    'a variable that is not set, or empty',
    tokens('{ name: a, role: viewer, env: NOPE }, { name: b, role: viewer, env: EMPTY }'),
    '5:50: admin.tokens[0].env: the environment variable of this name is not set; set it before Sluice starts',
    '5:88: admin.tokens[1].env: the environment variable of this name is empty; set it before Sluice starts',
  ),
  faulty(
    'no source, two sources',
    tokens('{ name: a, role: viewer }, { name: b, role: viewer, env: CI, file: x }'),
    '5:20: admin.tokens[0]: must have exactly one of env and file, not none',
    '5:47: admin.tokens[1]: must have exactly one of env and file, not both',
  ),
  faulty(
    'tokens that are too short, or no word',
    tokens('{ name: a, role: viewer, env: SHORT }, { name: b, role: viewer, env: SPACED }'),
    '5:50: admin.tokens[0].env: the token is shorter than 16 characters and can be guessed; make one with openssl rand -hex 32',
    '5:89: admin.tokens[1].env: the token holds spaces, line ends or characters beyond ASCII, which no client could send; write one word',
  ),
  faulty(
    'a name twice, a token twice',
    tokens('{ name: a, role: viewer, env: CI }, { name: a, role: admin, env: AGAIN }'),
    '5:64: admin.tokens[1].name: a is there twice; give each token its own name',
    '5:85: admin.tokens[1].env: holds the same token as tokens[0]; give each its own',
  ),
  faulty(
    'a name that the audit uses',
    tokens('{ name: sluice, role: viewer, env: CI }'),
    '5:28: admin.tokens[0].name: the audit calls something else sluice; choose another name',
  ),
  faulty(
    'a role that there is not',
    tokens('{ name: a, role: opertor, env: CI }'),
    '5:37: admin.tokens[0].role: no role opertor; did you mean operator?',
  ),
  faulty(
    'a token in the configuration',
    tokens('hunter2'),
    '5:20: admin.tokens[0]: must be a token such as {name: ci, role: operator, env: SLUICE_CI_TOKEN}; it is not shown here, as it may be a secret',
  ),
  faulty(
    'a token instead of the list',
    'admin: { tokens: hunter2 }',
    '5:18: admin.tokens: must be a list of tokens; it is not shown here, as it may be a secret',
  ),
  faulty(
    'the token in place of the name of its variable',
    tokens('{ name: a, role: viewer, env: "${SPACED}" }, { name: b, role: viewer, env: 12345 }'),
    '5:50: admin.tokens[0].env: must be the name of an environment variable such as SLUICE_CI_TOKEN; it is not shown here, as it may be a secret',
    '5:95: admin.tokens[1].env: must be the name of an environment variable such as SLUICE_CI_TOKEN; it is not shown here, as it may be a secret',
  ),
  faulty(
    'a secret in place of its source',
    'events: { webhooks: [ { name: a, url: "http://a", secret: hunter2 }, { name: b, url: "http://b", secret: "env:a b" } ] }',
    '5:59: events.webhooks[0].secret: must say where the secret is, env:NAME or file:PATH; it is not shown here, as it may be a secret',
    '5:106: events.webhooks[1].secret: must say where the secret is, env:NAME or file:PATH; it is not shown here, as it may be a secret',
  ),
  faulty(
    'a secret of another type',
    'events: { webhooks: [ { name: a, url: "http://a", secret: 1234567 } ] }',
    '5:59: events.webhooks[0].secret: must be env:NAME or file:PATH; it is not shown here, as it may be a secret',
  ),
];

const EVENTS: readonly FaultCase[] = [
  faulty(
    'event types',
    'events: { webhooks: [ { name: a, url: "http://a", types: [ weights.chnged, "endpont.*", "*.changed", "x*" ] } ] }',
    '5:60: events.webhooks[0].types[0]: no event type weights.chnged; did you mean weights.changed?',
    '5:76: events.webhooks[0].types[1]: no event type begins with endpont.; did you mean endpoint.*?',
    '5:89: events.webhooks[0].types[2]: a * stands only at the end, such as endpoint.*',
    '5:102: events.webhooks[0].types[3]: no event type begins with x; there are: server.*, worker.*, config.*, override.*, ' +
      'weights.*, lanes.*, version.*, rollback.*, rollout.*, endpoint.*, flag.*, notification.*, store.*, access.*',
  ),
  faulty(
    'webhooks',
    'events: { retention: 30d, webhooks: [ { name: a, url: "ftp://a" }, { name: a, url: "http://b" } ] }',
    '5:22: events.retention: must be a duration such as 250ms, 10s, 5m or 1h, not "30d"',
    '5:55: events.webhooks[0].url: must be a URL such as https://hooks.example.com/sluice, not "ftp://a"',
    '5:76: events.webhooks[1].name: a is there twice; give each webhook its own name',
  ),
  faulty(
    'the access log',
    'accessLog: { path: "", format: jsn, sample: 101, buffer: 1KiB }',
    '5:14: accessLog.path: must be a path such as ./access.log, or "-", not ""',
    '5:32: accessLog.format: no format jsn; did you mean json?',
    '5:45: accessLog.sample: must be a percentage from 0 to 100, not 101',
    '5:58: accessLog.buffer: must be from 16KiB to 256MiB, not "1KiB"',
  ),
  faulty(
    'environment and data',
    'environment: a b\ndata: 5',
    '5:14: environment: must be a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit, not "a b"',
    '6:7: data: must be the path of a directory such as ./data, not 5',
  ),
];

for (const { name, text, env, faults } of [...ADDRESSES, ...TOKENS, ...EVENTS]) {
  t.test(name, async (t) => t.strictSame(faultsOf(text, env), faults));
}

t.test('files of secrets that cannot be used', async (t) => {
  const directory = t.testdir({ empty: '\n', short: 'hunter2\n', large: 'x'.repeat(LARGEST_FILE + 1), directory: {} });
  const fault = (name: string): readonly string[] =>
    faultsOf(oneService(`${tokens(`{ name: a, role: viewer, file: "${join(directory, name)}" }`)}\n`));
  const at = '5:51: admin.tokens[0].file: ';
  const file = (name: string): string => join(directory, name);
  t.strictSame(fault('gone'), [`${at}no such file: ${file('gone')}`]);
  t.strictSame(fault('empty'), [`${at}${file('empty')} is empty; write the secret into it`]);
  t.strictSame(fault('large'), [`${at}${file('large')} is larger than 1MiB; name a smaller file`]);
  t.strictSame(fault('directory'), [`${at}${file('directory')} is no regular file; name a file`]);
  t.strictSame(fault('empty/x'), [`${at}${file('empty/x')} cannot be read: ENOTDIR`]);
  t.match(fault('short'), [/the token is shorter than 16 characters/]);
  t.notMatch(fault('short'), [/hunter2/]);
});

t.test('certificates and keys', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' } as const;
  const directory = t.testdir({
    'cert.pem': CERTIFICATE,
    'key.pem': PRIVATE_KEY,
    'other.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'locked.pem': privateKey.export(cipher),
    'broken.pem': CERTIFICATE.replace(/[A-Za-z]{20}/, ''),
  });
  const file = (name: string): string => join(directory, name);
  const load = (cert: string, key: string) => {
    const text = oneService(`admin: { tls: { cert: ${cert}, key: ${key} } }\n`);
    return parseConfigTexts([{ text, file: 'sluice.yaml', directory }], {});
  };
  const faults = (cert: string, key: string): readonly string[] => {
    try {
      load(cert, key);
      return [];
    } catch (error) {
      return (error as Error).message.replaceAll('sluice.yaml:', '').replaceAll(`${directory}/`, '').split('\n');
    }
  };
  const { config, dependencies } = load('cert.pem', 'key.pem');
  t.strictSame(config.admin?.tls, { cert: file('cert.pem'), key: file('key.pem') });
  t.strictSame(dependencies, [file('cert.pem'), file('key.pem')]);
  t.strictSame(faults('cert.pem', 'other.pem'), [
    '5:38: admin.tls.key: other.pem is not the key of cert.pem; name the pair that belongs together',
  ]);
  t.strictSame(faults('key.pem', 'cert.pem'), [
    '5:23: admin.tls.cert: key.pem holds no PEM certificate',
    '5:37: admin.tls.key: cert.pem holds no PEM private key',
  ]);
  t.strictSame(faults('gone.pem', 'locked.pem'), [
    '5:23: admin.tls.cert: no such file: gone.pem',
    '5:38: admin.tls.key: locked.pem is encrypted; decrypt it with openssl pkey',
  ]);
  t.match(faults('broken.pem', 'key.pem'), [/^5:23: admin.tls.cert: broken.pem cannot be used: [a-z ]+$/]);
  t.strictSame(faultsOf(oneService('admin: { tls: { cert: a.pem } }\n')), ['5:10: admin.tls: key is missing; add it']);
});

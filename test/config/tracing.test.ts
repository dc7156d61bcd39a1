/** Tracing in the configuration: what is read, what is refused and how it is mended, and what is shown of it. */
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { redactedConfig } from '../../src/control/config/redacted.ts';
import { Secret } from '../../src/model/secret.ts';
import { faultsOf, oneService } from './fault-cases.ts';

const ENV = { KEY: 'Bearer correct-horse', ODD: 'two\nlines' };
const parse = (rest: string, env: object = ENV) => parseConfig(oneService(rest), 'sluice.yaml', { ...env });
const tracing = (text: string) => parse(`tracing: ${text}\n`).tracing;
const faults = (text: string) => faultsOf(oneService(`tracing: ${text}\n`), ENV);

t.test('without it there is none; an endpoint is enough', async (t) => {
  t.equal(parse('').tracing, null);
  t.strictSame(tracing('{ endpoint: "http://127.0.0.1:4318/v1/traces" }'), {
    endpoint: 'http://127.0.0.1:4318/v1/traces',
    headers: {},
    sample: 1,
    parent: 'respect',
    maxPerSecond: 100,
    service: 'sluice',
    environment: 'default',
    compression: 'none',
    timeout: 10_000,
    queue: 2_048,
  });
});

t.test('values', async (t) => {
  t.equal(tracing('{ endpoint: "https://otlp.example.com" }')?.endpoint, 'https://otlp.example.com/v1/traces');
  t.equal(tracing('{ endpoint: "http://c:4318/x?k=1" }')?.endpoint, 'http://c:4318/x?k=1');
  t.equal(tracing('{ endpoint: "http://c", sample: 0.001% }')?.sample, 0.001);
  const url = 'endpoint: "http://c"';
  t.equal(parse(`environment: staging\ntracing: { ${url} }\n`).tracing?.environment, 'staging');
  t.equal(parse(`environment: staging\ntracing: { ${url}, environment: eu }\n`).tracing?.environment, 'eu');
  t.equal(parse(`tracing: { ${url} }\n`, { SLUICE_ENVIRONMENT: 'prod' }).tracing?.environment, 'prod');
});

t.test('headers are texts or secrets', async (t) => {
  const found = tracing(
    '{ endpoint: "http://c", headers: { Authorization: env:KEY, X-Key: { env: KEY }, X-Tenant: red } }',
  );
  t.equal(found?.headers['X-Tenant'], 'red');
  for (const name of ['Authorization', 'X-Key']) {
    const value = found?.headers[name];
    t.ok(value instanceof Secret && value.reveal() === 'Bearer correct-horse', name);
  }
});

t.test('faults say what is wrong and how to mend it', async (t) => {
  t.strictSame(faults('{}'), ['5:1: tracing: endpoint is missing; add it']);
  t.strictSame(faults('{ endpoint: "localhost:4318" }'), [
    '5:22: tracing.endpoint: must be a URL such as http://127.0.0.1:4318/v1/traces, not "localhost:4318"',
  ]);
  t.strictSame(faults('{ endpoint: "grpc://c:4317" }'), [
    '5:22: tracing.endpoint: gRPC is not spoken here; use the HTTP port of the collector, such as http://127.0.0.1:4318/v1/traces',
  ]);
  t.strictSame(faults('{ endpoint: "http://me:secret@c/" }'), [
    '5:22: tracing.endpoint: must not have a user or a password; put them into headers, such as Authorization: env:NAME',
  ]);
  t.strictSame(faults('{ endpoint: "http://c/#x" }'), [
    '5:22: tracing.endpoint: must not have a fragment; remove what begins with "#"',
  ]);
  t.match(faults('{ endpoint: "http://a b/" }'), [/^5:22: tracing.endpoint: cannot be read as a URL/]);
  t.strictSame(
    faults(
      '{ endpoint: "http://c", sample: 200, parent: follow, maxPerSecond: -1, compression: brotli, queue: 1, smaple: 1 }',
    ),
    [
      '5:42: tracing.sample: must be a percentage from 0 to 100, not 200',
      '5:55: tracing.parent: no rule follow; there are: respect, ignore',
      '5:77: tracing.maxPerSecond: must be a whole number from 0 to 1000000, not -1',
      '5:94: tracing.compression: no compression brotli; there are: none, gzip',
      '5:109: tracing.queue: must be a whole number from 64 to 1000000, not 1',
      '5:112: tracing.smaple: unknown key; did you mean sample?',
    ],
  );
});

t.test('faults in headers do not show what is written there', async (t) => {
  const at = (headers: string) => faults(`{ endpoint: "http://c", headers: { ${headers} } }`);
  t.strictSame(at('Authorization: env:NOBODY'), [
    '5:60: tracing.headers.Authorization: the environment variable of this name is not set; set it before Sluice starts',
  ]);
  t.strictSame(at('X-Key: env:ODD'), ['5:52: tracing.headers.X-Key: must be one line without control characters']);
  t.strictSame(at('X-Key: "hush\\u0007"'), [
    '5:52: tracing.headers.X-Key: must be one line without control characters',
  ]);
  t.strictSame(at('Content-Type: text/plain'), [
    '5:45: tracing.headers.Content-Type: Content-Type is written by Sluice itself; remove it here',
  ]);
  t.notMatch(at('X-Key: { enw: hush }').join('\n'), /hush/);
  t.notMatch(at('X-Key: [ hush ]').join('\n'), /hush/);
});

t.test('what is shown, and what workers are told', async (t) => {
  const config = parse(
    'tracing: { endpoint: "https://c.example.com/hush/v1", headers: { Authorization: env:KEY, X-Tenant: hush } }\n',
  );
  const shown = redactedConfig(config);
  t.match(shown, {
    tracing: { endpoint: 'https://c.example.com/…', headers: { Authorization: 'env:KEY', 'X-Tenant': '…' }, sample: 1 },
  });
  t.notMatch(JSON.stringify(shown), /hush|horse/);
  const { tracing } = compileSnapshot(config, 1);
  t.strictSame(tracing, { sample: 1, parent: 'respect', maxPerSecond: 100 });
});

import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { guardRules } from '../../src/control/admin/browser-guard.ts';
import { CALLS } from '../../src/control/admin/call-list.ts';
import { DashboardFiles } from '../../src/control/admin/dashboard-files.ts';
import { EventStreams } from '../../src/control/admin/event-streams.ts';
import { Gate } from '../../src/control/admin/gate.ts';
import { httpFront } from '../../src/control/admin/http-front.ts';
import { LiveTicker } from '../../src/control/admin/live-ticker.ts';
import { openApiDocument } from '../../src/control/admin/openapi.ts';
import { PROBLEMS } from '../../src/control/problems.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { FakeEvents, FakeOperations, FakeStore } from './admin-operations.ts';
import { AdminStage, OPEN } from './admin-stage.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document of another vocabulary, looked at from outside.
type Node = any;

const stage = await AdminStage.open();
t.teardown(() => stage.server.close(1_000));
const document: Node = (await stage.get('/openapi.json')).json;

const operations: [method: string, path: string, operation: Node][] = Object.entries<Node>(document.paths).flatMap(
  ([path, item]) =>
    Object.entries<Node>(item).map(([method, operation]): [string, string, Node] => [method, path, operation]),
);

t.test('the document has every route, and no other', async (t) => {
  const clock = new FakeClock();
  const gate = new Gate({ tokens: [], publicMetrics: false, clock, onDenied: () => {} });
  const app = await httpFront({
    calls: CALLS,
    parts: {
      operations: new FakeOperations(),
      events: new FakeEvents(),
      streams: new EventStreams(),
      live: new LiveTicker({ make: () => null, clock, logger: silentLogger }),
      dashboard: await DashboardFiles.read(new URL('./no-such-folder/', import.meta.url)),
      store: new FakeStore().asStore(),
      metrics: { expose: async () => ({ contentType: '', body: '' }) },
      clock,
      wallClock: () => 0,
      openApi: () => openApiDocument(CALLS, '0'),
      isOpen: () => true,
      stillHolds: () => true,
    },
    rules: () => ({ guard: guardRules(OPEN), gate, closing: false }),
    logger: silentLogger,
    tls: null,
  });
  // The printed tree is the only list of what fastify really routes.
  const routes = new Set<string>();
  const stack: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^([│ ]*)[├└]── ([^ ]*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) continue;
    const depth = match[1]!.length / 4;
    stack.length = depth;
    stack.push(match[2]!);
    for (const method of (match[3] ?? '').split(', ').filter(Boolean)) routes.add(`${method} ${stack.join('')}`);
  }
  const told = operations.flatMap(([method, path]) => {
    const route = path.replaceAll(/\{(\w+)\}/g, ':$1');
    const hasHead = CALLS.some((call) => call.path === path && call.method === 'GET' && call.head);
    return method === 'get' && hasHead ? [`GET ${route}`, `HEAD ${route}`] : [`${method.toUpperCase()} ${route}`];
  });
  const isPage = (route: string): boolean => /^(GET|HEAD) \/(docs(\/|$)(?!problems)|dashboard\/)/.test(route);
  t.strictSame([...routes].filter((route) => !isPage(route)).sort(), [...new Set(told)].sort());
  await app.close();
});

t.test('it is well-formed', async (t) => {
  t.equal(document.openapi, '3.1.0');
  t.strictSame(Object.keys(document.info).sort(), ['description', 'title', 'version']);
  const ids = operations.map(([, , { operationId }]) => operationId);
  t.equal(new Set(ids).size, ids.length, 'operation ids are unique');
  const tags = new Set(document.tags.map(({ name }: Node) => name));
  for (const [method, path, operation] of operations) {
    const what = `${method} ${path}`;
    t.ok(operation.summary && operation.tags.every((tag: string) => tags.has(tag)), what);
    const inPath = operation.parameters.filter((parameter: Node) => parameter.in === 'path');
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    t.strictSame(inPath.map(({ name }: Node) => name).sort(), names.sort(), `${what} has the parameters of its path`);
    t.ok(
      inPath.every(({ required }: Node) => required === true),
      what,
    );
    t.ok(
      operation.parameters.every(({ schema }: Node) => schema !== undefined),
      what,
    );
    t.ok(
      Object.keys(operation.responses).some((status) => Number(status) < 400),
      `${what} can succeed`,
    );
    for (const [status, response] of Object.entries<Node>(operation.responses)) {
      t.match(status, /^[2-5][0-9]{2}$/);
      t.type(response.description, 'string');
      if (Number(status) >= 400) {
        const { schema, examples } = response.content['application/problem+json'];
        t.strictSame(schema, { $ref: '#/components/schemas/Problem' });
        for (const code of Object.keys(examples)) {
          t.equal(String(PROBLEMS[code as keyof typeof PROBLEMS].status), status, `${code} of ${what}`);
        }
      }
    }
    const body = operation.requestBody?.content['application/json'];
    if (body !== undefined) t.ok(body.example !== undefined, `${what} has an example`);
    t.ok(['get', 'delete'].includes(method) === (operation.requestBody === undefined), `${what} has a body or not`);
    const open = operation.security.length === 0;
    t.equal(operation.responses['401'] === undefined, open, `${what} and its token`);
  }
  t.strictSame(document.components.securitySchemes.bearer.scheme, 'bearer');
});

t.test('every reference leads somewhere, and schemas are JSON Schema 2020-12', async (t) => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => String(to));
  t.ok(references.length > 50);
  for (const to of new Set(references)) {
    t.ok(document.components.schemas[to.replace('#/components/schemas/', '')] !== undefined, to);
  }
  const used = new Set(references.map((to) => to.split('/').at(-1)));
  for (const name of Object.keys(document.components.schemas)) t.ok(used.has(name), `${name} is used`);
  const ajv = new Ajv2020({ strict: false });
  for (const [name, schema] of Object.entries<Node>(document.components.schemas)) {
    t.ok(ajv.validateSchema(schema), `${name} ${ajv.errorsText()}`);
  }
});

import t from 'tap';
import { preferredType } from '../../src/control/admin/accept.ts';
import { addressKey, clientAddress } from '../../src/control/admin/client-address.ts';
import { matchesStrongly, matchesWeakly, parseTags } from '../../src/control/admin/entity-tag.ts';
import { eventFilter } from '../../src/control/admin/event-filter.ts';
import { parseJsonBody } from '../../src/control/admin/json-body.ts';
import { requestIdOf } from '../../src/control/admin/request-id.ts';
import { eventExample } from '../../src/control/admin/schemas/examples.ts';
import { bearerToken } from '../../src/control/admin/token-book.ts';
import { OperationError } from '../../src/control/problems.ts';

t.test('entity tags compare strongly for If-Match and weakly for If-None-Match', async (t) => {
  const cases: [field: string, strong: boolean, weak: boolean][] = [
    ['"a"', true, true],
    ['W/"a"', false, true],
    ['*', true, true],
    ['"b", "a"', true, true],
    ['"b", W/"a"', false, true],
    ['"b"', false, false],
    ['"a,b", "a"', true, true],
    ['"a,b"', false, false],
    [', "a",, ', true, true],
    ['"A"', false, false],
  ];
  for (const [field, strong, weak] of cases) {
    const tags = parseTags(field);
    if (tags === null) throw new Error(field);
    t.equal(matchesStrongly(tags, 'a'), strong, `${field} strongly`);
    t.equal(matchesWeakly(tags, 'a'), weak, `${field} weakly`);
  }
  for (const field of ['a', '', ',', '"a', 'w/"a"', '"a" "b"', '*, "a"', 'W/*']) t.equal(parseTags(field), null, field);
});

t.test('the media type that a client wants most', async (t) => {
  const offered = ['text/event-stream', 'application/json'];
  const cases: [accept: string | undefined, expected: string | null][] = [
    [undefined, 'text/event-stream'],
    ['*/*', 'text/event-stream'],
    ['application/json', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
    ['application/json, text/event-stream;q=0.9', 'application/json'],
    ['application/json;q=0.2, */*;q=0.1', 'application/json'],
    ['text/*;q=0, */*', 'application/json'],
    ['Application/JSON', 'application/json'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/event-stream'],
    ['image/png', null],
    ['application/json;q=x', null],
  ];
  for (const [accept, expected] of cases) t.equal(preferredType(accept, offered), expected, String(accept));
});

t.test('JSON bodies', async (t) => {
  t.strictSame(parseJsonBody('{"a":[1,{"b":"x,y"}],"c":"{\\"a\\":1}"}'), { a: [1, { b: 'x,y' }], c: '{"a":1}' });
  t.equal(parseJsonBody(' \n'), undefined);
  const fault = (text: string): OperationError => {
    try {
      parseJsonBody(text);
    } catch (error) {
      if (error instanceof OperationError) return error;
      throw error;
    }
    throw new Error(`accepted: ${text}`);
  };
  t.match(fault('{"v1":1,}').message, /line 1 column 9/);
  t.match(fault('{\n "v1": ').message, /line 2 column 8/, 'a text that just ends has a position too');
  t.strictSame(fault('{"v1":90,"v1":10}').faults[0]?.field, '/v1', 'a key given twice');
  t.strictSame(fault('{"v1":90,"\\u00761":10}').faults[0]?.field, '/v1', 'also where it is written differently');
  t.strictSame(fault('{"a":[{},{"b/c":1,"b/c":2}]}').faults[0]?.field, '/a/1/b~1c');
  t.match(fault('{"__proto__":{}}').message, /not allowed/);
  t.strictSame(
    parseJsonBody('[{"a":1},{"a":2}]'),
    [{ a: 1 }, { a: 2 }],
    'the same key in two objects is nothing strange',
  );
  t.strictSame(parseJsonBody('{"a":{"x":1},"x":2}'), { a: { x: 1 }, x: 2 });
  t.equal((parseJsonBody(JSON.stringify({ text: 'x'.repeat(1_000_000) })) as { text: string }).text.length, 1_000_000);
});

t.test('client addresses', async (t) => {
  t.equal(clientAddress('::ffff:10.0.0.1'), '10.0.0.1');
  t.equal(clientAddress('fe80::1%eth0'), 'fe80::1');
  t.equal(clientAddress(undefined), '');
  t.equal(addressKey('10.0.0.1'), '10.0.0.1');
  t.equal(addressKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  t.equal(addressKey('2001:db8:1:2::9'), '2001:db8:1:2::/64');
  t.equal(addressKey('::1'), '0:0:0:0::/64');
  t.not(addressKey('2001:db8::1'), addressKey('2001:db8:0:1::1'));
});

t.test('request ids are taken over only where they are sane', async (t) => {
  t.equal(requestIdOf('deploy-4711/a:b'), 'deploy-4711/a:b');
  for (const odd of [undefined, '', 'a b', 'a"b', 'ä', 'x'.repeat(129), ['a', 'b']]) {
    t.match(requestIdOf(odd), /^[0-9a-f-]{36}$/);
  }
});

t.test('bearer tokens', async (t) => {
  t.equal(bearerToken('Bearer abc.DEF_123~+/='), 'abc.DEF_123~+/=');
  t.equal(bearerToken('bearer  abc '), 'abc');
  for (const other of [undefined, '', 'Bearer', 'Bearer ', 'Basic abc', 'Bearer a b', 'abc'])
    t.equal(bearerToken(other), null);
});

t.test('event filters', async (t) => {
  t.ok(eventFilter(undefined)(eventExample));
  t.ok(eventFilter('alert, weights.*')(eventExample));
  t.notOk(eventFilter('endpoint.*')(eventExample));
  t.throws(() => eventFilter('endpont.*'), /did you mean endpoint\.\*\?/);
  t.throws(() => eventFilter('weights.changd'), /did you mean weights\.changed\?/);
  t.throws(() => eventFilter('alert,'), /no event type ""/);
});

t.test('a deep body takes no longer than a flat one of its length', async (t) => {
  const depth = 100_000;
  const text = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  t.ok(parseJsonBody(text));
  try {
    parseJsonBody(`{"a":{"b":${text},"b":1}}`);
    t.fail('a key that is there twice, behind all of it');
  } catch (error) {
    t.match(error, { faults: [{ field: '/a/b' }] });
  }
});

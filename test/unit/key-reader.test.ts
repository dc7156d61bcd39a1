import t from 'tap';
import type { KeySource } from '../../src/model/policy-config.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { cookieValue } from '../../src/proxy/route/cookies.ts';
import { KeyReader, keyHeaders } from '../../src/proxy/route/key-reader.ts';
import { queryValue } from '../../src/proxy/route/query.ts';
import { BEHIND_PROXY, DIRECT, requestHead } from '../kit/request-head.ts';

const NAMES = new FieldNames(['x-user-id']);
const isTrusted = (address: string): boolean => address.startsWith('10.') || address === 'fd00::1';

const read = (source: KeySource, target: string, lines: readonly string[], client = DIRECT): string =>
  new KeyReader(source, NAMES, isTrusted).read(requestHead(target, lines, NAMES), client);

t.test('the value of a cookie', async (t) => {
  const cases: [field: string, value: string][] = [
    ['sid=abc', 'abc'],
    ['theme=dark; sid=abc; consent=1', 'abc'],
    ['theme=dark;sid=abc', 'abc'],
    ['theme=dark;\tsid = abc \t;x=1', 'abc'],
    ['sid="abc"', 'abc'],
    ['sid="', '"'],
    ['sid=""', ''],
    ['sid="a;b"', '"a'],
    ['sid=a=b=c', 'a=b=c'],
    ['sid=first; sid=second', 'first'],
    ['sid=', ''],
    ['sid', ''],
    ['sid; sid=abc', 'abc'],
    ['xsid=no', ''],
    ['x-sid=no', ''],
    ['sidx=no', ''],
    ['SID=no', ''],
    ['theme=sid=no', ''],
    ['theme=sid; sid=abc', 'abc'],
    ['theme=dark sid=no', ''],
    ['xsid=no; sid=abc', 'abc'],
    ['; ;sid=abc', 'abc'],
    ['=sid', ''],
    ['', ''],
  ];
  for (const [field, value] of cases) t.equal(cookieValue(field, 'sid'), value, JSON.stringify(field));
});

t.test('a cookie is found in whichever Cookie line has it', async (t) => {
  const source: KeySource = { from: 'cookie', name: 'sid' };
  t.equal(read(source, '/', ['Cookie: a=1', 'Cookie: b=2; sid=abc', 'Cookie: sid=later']), 'abc');
  t.equal(read(source, '/', ['Cookie: a=1, sid=no', 'Cookie: b=2']), '');
  t.equal(read(source, '/', ['cookie: sid=abc']), 'abc');
  t.equal(read(source, '/', []), '');
});

t.test('the value of a query parameter', async (t) => {
  const cases: [target: string, name: string, value: string | null][] = [
    ['/', 'user', null],
    ['/?', 'user', null],
    ['/?user=7', 'user', '7'],
    ['/a/b?x=1&user=7&y=2', 'user', '7'],
    ['/?user=7&user=8', 'user', '7'],
    ['/?user', 'user', ''],
    ['/?user=', 'user', ''],
    ['/?user&user=7', 'user', ''],
    ['/?user=a=b', 'user', 'a=b'],
    ['/?&&user=7', 'user', '7'],
    ['/?xuser=1&userx=2&USER=3', 'user', null],
    ['/user=7?x=user=8', 'user', null],
    ['/?user=a%20b+c', 'user', 'a b c'],
    ['/?%75ser=7', 'user', '7'],
    ['/?user=caf%C3%A9', 'user', 'café'],
    ['/?caf%c3%a9=1', 'café', '1'],
    ['/?first+name=x', 'first name', 'x'],
    ['/?user=100%', 'user', '100%'],
    ['/?user=%zz%4', 'user', '%zz%4'],
    ['/?user=%26%3D', 'user', '&='],
    ['/?user=%ff', 'user', '\ufffd'],
    ['/?=7', '', null],
    ['*', 'user', null],
  ];
  for (const [target, name, value] of cases) t.equal(queryValue(target, name), value, `${target} ${name}`);
});

t.test('a key from a header, a query parameter, or nowhere', async (t) => {
  t.equal(read({ from: 'header', name: 'x-user-id' }, '/', ['X-User-ID:  u1 ']), 'u1');
  t.equal(read({ from: 'header', name: 'x-user-id' }, '/', ['X-User-ID: u1', 'X-User-ID: u2']), 'u1');
  t.equal(read({ from: 'header', name: 'x-user-id' }, '/', []), '');
  t.equal(read({ from: 'header', name: 'x-other' }, '/', ['X-Other: no number']), '');
  t.equal(read({ from: 'query', name: 'user' }, '/?user=u%201', []), 'u 1');
  t.equal(read({ from: 'query', name: 'user' }, '/', []), '');
});

t.test('the headers that need a number', async (t) => {
  t.same(keyHeaders({ from: 'header', name: 'x-user-id' }), ['x-user-id']);
  t.same(keyHeaders({ from: 'cookie', name: 'sid' }), []);
  t.same(keyHeaders({ from: 'query', name: 'user' }), []);
  t.same(keyHeaders({ from: 'address' }), []);
});

t.test('the address of a client that is not behind a trusted proxy is the peer, whatever it claims', async (t) => {
  t.equal(read({ from: 'address' }, '/', ['X-Forwarded-For: 203.0.113.9']), '198.51.100.7');
});

t.test('behind a trusted proxy it is the right-most address that is not itself trusted', async (t) => {
  const cases: [chain: string, address: string][] = [
    ['203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
    ['6.6.6.6,203.0.113.9 , 10.0.0.3,10.0.0.2', '203.0.113.9'],
    ['10.0.0.9, 10.0.0.2', '10.0.0.9'],
    ['203.0.113.9,, ,', '203.0.113.9'],
    [',', '10.0.0.1'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::9]:4711', '2001:db8::9'],
    ['"[2001:db8::9]"', '2001:db8::9'],
    ['2001:db8::9', '2001:db8::9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, fd00::1', '6.6.6.6'],
    ['unknown', '10.0.0.1'],
    ['6.6.6.6, unknown, 10.0.0.2', '10.0.0.2'],
    ['fe80::1%eth0', '10.0.0.1'],
    ['[', '10.0.0.1'],
    ['"', '10.0.0.1'],
    [':', '10.0.0.1'],
  ];
  for (const [chain, address] of cases) {
    t.equal(read({ from: 'address' }, '/', [`X-Forwarded-For: ${chain}`], BEHIND_PROXY), address, chain);
  }
  t.equal(read({ from: 'address' }, '/', [], BEHIND_PROXY), '10.0.0.1', 'no field at all');
  const lines = ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 10.0.0.2'];
  t.equal(read({ from: 'address' }, '/', lines, BEHIND_PROXY), '203.0.113.9', 'two lines are one list');
});

t.test('a query or cookie field that is nothing but traps is read to its end', async (t) => {
  const target = `/?${'%&%='.repeat(7_000)}`;
  t.equal(queryValue(target, 'u'), null);
  t.equal(cookieValue('sid;'.repeat(7_000), 'sid'), '');
});

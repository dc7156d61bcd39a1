import t from 'tap';
import type { HeaderEdits } from '../../src/model/route-config.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { clientFacts, FieldRules } from '../../src/proxy/http1/field-rules.ts';
import { ResponseHead } from '../../src/proxy/http1/response-head.ts';
import { HeaderEditor } from '../../src/proxy/route/header-edits.ts';
import { namesFor, requests, routeOf } from './route-requests.ts';

const rules = new FieldRules({ forwarded: false, via: 'sluice' }, { next: () => '0'.repeat(48) });
const NONE: HeaderEdits = { set: [], add: [], remove: [] };

/** The user's own lines of the request as the upstream gets it. */
function sent(edits: Partial<HeaderEdits>, fields: readonly string[], trusted = false, names?: FieldNames): string[] {
  const requestHeaders = { ...NONE, ...edits };
  const numbers = names ?? namesFor([routeOf({}, { requestHeaders })]);
  const head = requests(numbers)('GET /', 'h', ...fields);
  const lines = new HeaderEditor(requestHeaders, numbers).apply(head, numbers);
  const own = /^(Host|X-Forwarded-(For|Proto|Host)|Via|X-Request-Id|traceparent):/;
  const text = rules.request(head, clientFacts('192.0.2.1', trusted, 'http'), '', 'up') + lines;
  return text.split('\r\n').filter((line) => line !== '' && !own.test(line));
}

t.test('remove, then set, then add', async (t) => {
  t.strictSame(sent({}, ['X-A: 1']), ['X-A: 1']);
  t.strictSame(sent({ remove: ['X-A'] }, ['x-a: 1', 'X-B: 2', 'X-A: 3']), ['X-B: 2'], 'every line of the name');
  t.strictSame(sent({ set: [['X-A', 'new']] }, ['x-a: 1', 'X-B: 2', 'X-A: 3']), ['X-B: 2', 'X-A: new']);
  t.strictSame(sent({ set: [['X-A', 'new']] }, ['X-B: 2']), ['X-B: 2', 'X-A: new'], 'set where there was none');
  t.strictSame(sent({ add: [['X-A', 'new']] }, ['X-A: 1']), ['X-A: 1', 'X-A: new']);
  t.strictSame(
    sent(
      {
        remove: ['X-A'],
        set: [['X-B', 's']],
        add: [
          ['X-A', 'a'],
          ['X-B', 'b'],
        ],
      },
      ['X-A: 1', 'X-B: 2'],
    ),
    ['X-B: s', 'X-A: a', 'X-B: b'],
  );
});

t.test('fields that Sluice knows itself', async (t) => {
  t.strictSame(sent({ remove: ['Cookie', 'Authorization'] }, ['Cookie: a', 'cookie: b', 'authorization: c', 'A: 1']), [
    'A: 1',
  ]);
  t.strictSame(sent({ set: [['Cache-Control', 'no-cache']] }, ['cache-control: max-age=1']), [
    'Cache-Control: no-cache',
  ]);
});

t.test('further X-Forwarded fields', async (t) => {
  const fields = ['X-Forwarded-Port: 1', 'X-Forwarded-Prefix: /p', 'X-A: 1'];
  const edits = { set: [['X-Forwarded-Prefix', '/api']], remove: ['x-forwarded-port'] } as const;
  t.strictSame(sent(edits, fields), ['X-A: 1', 'X-Forwarded-Prefix: /api'], 'of anybody');
  t.strictSame(sent(edits, fields, true), ['X-A: 1', 'X-Forwarded-Prefix: /api'], 'of a trusted proxy');
  t.strictSame(sent({}, fields), ['X-A: 1'], 'of anybody, and not edited');
});

t.test('names that found no number', async (t) => {
  t.strictSame(sent({ remove: ['X-A'] }, ['x-a: 1', 'X-B: 2', 'X-A: 3'], false, new FieldNames()), ['X-B: 2']);
});

t.test('an editor can be used again', async (t) => {
  const edits = { ...NONE, remove: ['X-A', 'X-Forwarded-Port'] };
  const names = namesFor([routeOf({}, { requestHeaders: edits })]);
  const editor = new HeaderEditor(edits, names);
  const request = requests(names);
  for (let i = 0; i < 2; i++) {
    const head = request('GET /', 'h', 'X-A: 1', 'X-B: 2');
    t.equal(editor.apply(head, names), '');
    t.match(rules.request(head, clientFacts('192.0.2.1', false, 'http'), '', 'up'), 'X-B: 2\r\n');
    t.notMatch(rules.request(head, clientFacts('192.0.2.1', false, 'http'), '', 'up'), 'X-A');
  }
  const untouched = request('GET /', 'h', 'X-A: 1');
  t.match(rules.request(untouched, clientFacts('192.0.2.1', false, 'http'), '', 'up'), 'X-A: 1');
});

t.test('responses', async (t) => {
  const edits = { set: [['X-Frame-Options', 'DENY']], add: [['Set-Cookie', 'b=2']], remove: ['Server'] } as const;
  const names = namesFor([routeOf({}, { responseHeaders: edits })]);
  const head = new ResponseHead({ headSize: 4096, headerCount: 9 } as never, names);
  const fields = ['Server: nginx', 'X-Frame-Options: SAMEORIGIN', 'Set-Cookie: a=1', 'Date: now', 'Content-Length: 0'];
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${fields.join('\r\n')}\r\n\r\n`);
  t.equal(head.parse(bytes, 0, bytes.length, false), bytes.length);
  const lines = new HeaderEditor(edits, names).apply(head, names);
  t.equal(
    rules.response(head, '', '') + lines,
    'Set-Cookie: a=1\r\nDate: now\r\nContent-Length: 0\r\nVia: 1.1 sluice\r\nX-Frame-Options: DENY\r\nSet-Cookie: b=2\r\n',
  );
});

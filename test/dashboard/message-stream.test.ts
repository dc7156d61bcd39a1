import t from 'tap';
import { MessageReader } from '../../src/dashboard/api/message-stream.ts';

const TEXT =
  'retry: 2000\n\nid: 7\n\n: still here\n\nid: 8\nevent: alert\ndata: {"a":1}\n\nevent: state\ndata: one\ndata: two\n\ndata: cut off';
const MESSAGES = [
  { id: '7', event: 'message', data: '' },
  { id: '8', event: 'alert', data: '{"a":1}' },
  { id: null, event: 'state', data: 'one\ntwo' },
];

t.test('messages of a stream, however it is cut', async (t) => {
  t.same(new MessageReader().read(TEXT), MESSAGES);
  for (const size of [1, 2, 3, 7, 20]) {
    const reader = new MessageReader();
    const found = [];
    for (let at = 0; at < TEXT.length; at += size) found.push(...reader.read(TEXT.slice(at, at + size)));
    t.same(found, MESSAGES, `pieces of ${size}`);
  }
});

t.test('line ends of all kinds, fields without a value, fields that nobody knows', async (t) => {
  t.same(new MessageReader().read('data:x\r\n\r\nfoo: bar\rdata\r\r'), [
    { id: null, event: 'message', data: 'x' },
    { id: null, event: 'message', data: '' },
  ]);
});

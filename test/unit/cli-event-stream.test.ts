/** Server-sent events, however they are cut into pieces. */
import t from 'tap';
import { EventStreamParser } from '../../src/cli/client/event-stream.ts';

const STREAM =
  'retry: 2000\n\n: hello\nid: 7\nevent: alert\ndata: {"a":\ndata: 1}\n\r\nid:8\rdata:x\r\rid: 9\n\nevent: y\n\ndata: half';

t.test('whole, and in every two pieces', async (t) => {
  for (let cut = 0; cut <= STREAM.length; cut++) {
    const parser = new EventStreamParser();
    const events = [...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))];
    t.strictSame(
      events,
      [
        { type: 'alert', data: '{"a":\n1}' },
        { type: 'message', data: 'x' },
      ],
      `cut at ${cut}`,
    );
    t.equal(parser.lastId, '9', 'a number alone counts, that of half an event does not');
    t.equal(parser.retry, 2000);
  }
});

t.test('character by character', async (t) => {
  const parser = new EventStreamParser();
  t.equal([...STREAM].flatMap((character) => parser.push(character)).length, 2);
});

t.test('the number of an event counts once the event is whole', async (t) => {
  const parser = new EventStreamParser();
  parser.push('id: 1\ndata: a\n\nid: 2\ndata: b');
  t.equal(parser.lastId, '1');
  parser.push('\n\n');
  t.equal(parser.lastId, '2');
});

t.test('lines have an end', async (t) => {
  const parser = new EventStreamParser();
  t.throws(() => {
    for (let part = 0; part < 100; part++) parser.push('x'.repeat(100_000));
  }, /without an end/);
});

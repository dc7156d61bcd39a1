import t from 'tap';
import { FLUSHED, type FlushState, PENDING } from '../../src/proxy/codec.ts';
import { READ_SIZE, SocketReader } from '../../src/proxy/socket-reader.ts';

/** A reader without a socket: `read` plays one read event whose bytes are written on with the given result. */
function setUp() {
  const shared = Buffer.alloc(READ_SIZE);
  const reader = new SocketReader(shared);
  let result: FlushState = FLUSHED;
  let wasShared = false;
  reader.sink = {
    onBytes: (_buf, _start, _end, flag) => {
      wasShared = flag;
      reader.settle(result);
    },
  };
  const { buffer, callback } = reader.onread;
  const next = buffer as () => Buffer;
  let current = next();
  const read = (size: number, state: FlushState) => {
    result = state;
    const used = current;
    callback(size, used);
    current = next();
    return { used, shared: wasShared };
  };
  return { shared, reader, read, upcoming: () => current };
}

t.test('small reads share one buffer', async (t) => {
  const { shared, read } = setUp();
  for (const state of [FLUSHED, PENDING, FLUSHED] as const)
    t.strictSame(read(500, state), { used: shared, shared: true });
});

t.test(
  'bulk reads have a private buffer, another while a write is pending, and the first again behind it',
  async (t) => {
    const { shared, read } = setUp();
    t.equal(read(READ_SIZE, FLUSHED).used, shared);
    const first = read(READ_SIZE, FLUSHED);
    t.not(first.used, shared);
    t.equal(first.shared, false);
    t.equal(read(READ_SIZE, PENDING).used, first.used, 'nothing is pending: the same again');
    const second = read(READ_SIZE, PENDING).used;
    t.not(second, first.used, 'the first is still being written');
    const third = read(READ_SIZE, FLUSHED).used;
    t.notOk([shared, first.used, second].includes(third));
    t.equal(read(READ_SIZE, PENDING).used, third);
    t.ok([first.used, second].includes(read(READ_SIZE, FLUSHED).used), 'all writes are done: they serve again');
    read(100, FLUSHED);
    t.equal(read(100, FLUSHED).used, shared, 'a small read ends it');
  },
);

t.test('a buffer lent to one destination is never used again because another destination has flushed', async (t) => {
  const { shared, reader, read, upcoming } = setUp();
  read(READ_SIZE, FLUSHED);
  const held = read(READ_SIZE, PENDING).used;
  t.not(held, shared);
  reader.forget();
  for (let i = 0; i < 20; i++) {
    read(READ_SIZE, i % 3 === 0 ? PENDING : FLUSHED);
    t.not(upcoming(), held);
  }
});

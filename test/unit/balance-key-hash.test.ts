import murmur from 'murmurhash3js-revisited';
import t from 'tap';
import { hashKey, mix } from '../../src/proxy/balance/key-hash.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

t.test('the hash is MurmurHash3 x86 32', async (t) => {
  const cases: [text: string, seed: number, hash: number][] = [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['hello', 0, 0x248bfa47],
    ['Hello, world!', 1234, 0xfaf6cdb3],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ];
  for (const [text, seed, hash] of cases) t.equal(hashKey(text, seed), hash, JSON.stringify(text));
});

t.test('a character of a head is a byte', async (t) => {
  const sent = Buffer.from('grüße', 'utf8').toString('latin1');
  t.equal(hashKey(sent), hashKey(Buffer.from('grüße', 'utf8').toString('latin1')));
  t.not(hashKey(sent), hashKey('grüße'), 'decoded text is another string');
  t.equal(hashKey('€'), hashKey(Buffer.from('€', 'utf8').toString('latin1')), 'text from elsewhere is hashed as UTF-8');
});

t.test('keys of any length, one after the other', async (t) => {
  const hashes = new Map<number, number>();
  for (const length of [0, 1, 511, 512, 513, 5_000]) hashes.set(length, hashKey('x'.repeat(length)));
  t.equal(new Set(hashes.values()).size, 6);
  for (const [length, hash] of hashes) t.equal(hashKey('x'.repeat(length)), hash, `${length} bytes, again`);
  const long = 'ü'.repeat(600);
  t.equal(hashKey(long), murmur.x86.hash32(Buffer.from(long, 'latin1')), 'a long key is bytes as well');
  t.equal(hashKey('x'.repeat(512)), hashes.get(512), 'a long key leaves no trace');
});

t.test('every bit of hash and salt flips every bit of the derived hash about half of the time', async (t) => {
  const random = new SeededRandom(5);
  const word = (): number => Math.floor(random.next() * 2 ** 32);
  const rounds = 4_000;
  let least = 1;
  let most = 0;
  for (let bit = 0; bit < 32; bit++) {
    const flips = new Array<number>(64).fill(0);
    for (let round = 0; round < rounds; round++) {
      const hash = word();
      const salt = word();
      const derived = mix(hash, salt);
      const byHash = derived ^ mix(hash ^ (1 << bit), salt);
      const bySalt = derived ^ mix(hash, salt ^ (1 << bit));
      for (let out = 0; out < 32; out++) {
        flips[out] = flips[out]! + ((byHash >>> out) & 1);
        flips[32 + out] = flips[32 + out]! + ((bySalt >>> out) & 1);
      }
    }
    least = Math.min(least, ...flips.map((count) => count / rounds));
    most = Math.max(most, ...flips.map((count) => count / rounds));
  }
  // Five standard deviations of a fair coin, for 2,048 coins.
  const allowed = 5 * 0.5 * Math.sqrt(1 / rounds);
  t.ok(least > 0.5 - allowed && most < 0.5 + allowed, `${least.toFixed(3)} to ${most.toFixed(3)}`);
});

t.test('derived hashes are 32 bits without sign, one for one', async (t) => {
  const seen = new Set<number>();
  for (let salt = 0; salt < 10_000; salt++) seen.add(mix(12_345, salt));
  for (const hash of seen) if (!(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32)) t.fail(`${hash}`);
  t.equal(seen.size, 10_000);
});

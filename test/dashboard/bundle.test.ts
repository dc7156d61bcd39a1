import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { BUNDLE, bundled } from './bundle.ts';

const LARGEST = 150 * 1024;

t.test('the committed bundle is what the source makes', async (t) => {
  for (const [name, text] of Object.entries(await bundled())) {
    const path = join(BUNDLE, name);
    // Not compared by the assertion: it would print both.
    t.ok(existsSync(path) && readFileSync(path, 'utf8') === text, `${name}: run npm run dashboard`);
  }
});

t.test('it is small, and asks nobody but Sluice', async (t) => {
  const files = Object.entries(await bundled()).filter(([name]) => name !== 'LICENSES.txt');
  const size = (compress: (text: string) => Buffer): number =>
    files.reduce((sum, [, text]) => sum + compress(text).length, 0);
  t.ok(size(gzipSync) < LARGEST, `${size(gzipSync)} bytes with gzip`);
  t.ok(size(brotliCompressSync) < size(gzipSync));
  for (const [name, text] of files) {
    const outside = text.match(/(?:https?|wss?):\/\/[^\s"'`)]*/gi) ?? [];
    // Names of XML vocabularies look like addresses and are none.
    t.same(
      outside.filter((address) => !address.startsWith('http://www.w3.org/')),
      [],
      `${name} names no other server`,
    );
    t.notMatch(text, /dangerouslySetInnerHTML=|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
  }
});

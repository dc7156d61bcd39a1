/**
 * The pictures of the documentation are those that the code draws today, and can be read by everybody.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { alphaTable, withTable } from '../../bench/pictures/alpha.ts';
import { failuresNeeded } from '../../bench/pictures/paths.ts';
import { ENOUGH, PICTURES } from '../../bench/pictures/pictures.ts';

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const page = readFileSync(`${docs}/evidence-explained.md`, 'utf8');
/** What a page may cost whoever reads it on a telephone. */
const MOST_BYTES = 30_000;

t.strictSame(
  readdirSync(`${docs}/pictures`).filter((name) => name.endsWith('.svg')),
  Object.keys(PICTURES).sort(),
  'there is a file for each picture and no other',
);

for (const [name, draw] of Object.entries(PICTURES)) {
  t.test(name, async (t) => {
    const drawn = draw();
    t.equal(readFileSync(`${docs}/pictures/${name}`, 'utf8'), drawn, 'is current; if not: node bench/pictures.ts');
    t.ok(Buffer.byteLength(drawn) < MOST_BYTES, `${Buffer.byteLength(drawn)} bytes`);
    t.match(
      drawn,
      /<title id="t">[^<]{10,}<\/title>\n<desc id="d">[^<]{40,}<\/desc>/,
      'has words in place of the picture',
    );
    t.notMatch(drawn, /NaN|Infinity|undefined/);
    t.match(page, `](pictures/${name})`, 'is shown');
  });
}

t.test('the table of alpha is current', async (t) => {
  t.equal(withTable(page, alphaTable()), page, 'if not: node bench/pictures.ts');
  t.throws(() => withTable('no marks', ''), /put them back/);
});

t.test('the figures of the text', async (t) => {
  t.equal(failuresNeeded(0.1, ENOUGH), 4);
  t.equal(failuresNeeded(0.5, ENOUGH), 13);
});

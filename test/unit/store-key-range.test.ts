import t from 'tap';
import { afterPrefix } from '../../src/control/store/key-range.ts';

t.test('the end of a prefix', async (t) => {
  t.equal(afterPrefix('a'), 'b');
  t.equal(afterPrefix('a/'), 'a0');
  t.equal(afterPrefix('ü'), 'ý');
  t.equal(afterPrefix('a\u0000'), 'a\u0001');
  t.equal(afterPrefix('a\ud7ff'), 'a\ue000', 'surrogates are no characters');
  t.equal(afterPrefix('a\uffff'), 'a\u{10000}');
  t.equal(afterPrefix('a\u{10ffff}'), 'b');
  t.equal(afterPrefix('a\u{10ffff}\u{10ffff}'), 'b');
  t.equal(afterPrefix(''), null);
  t.equal(afterPrefix('\u{10ffff}'), null);
});

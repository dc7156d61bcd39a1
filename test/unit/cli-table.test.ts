/** What people see: tables, numbers with units, and nothing that moves their cursor. */
import t from 'tap';
import { latency, percent, rate, share, span, time } from '../../src/cli/client/format.ts';
import { printable, printableJson } from '../../src/cli/client/printable.ts';
import { coloured, plain, table } from '../../src/cli/client/table.ts';

t.test('columns are as wide as their widest cell, numbers to the right, no blanks at the end', async (t) => {
  const rows = [
    ['v1', '9.5', 'a'],
    ['longer', '100.0', ''],
  ];
  t.equal(table(['NAME', '>SHARE', 'NOTE'], rows, plain), 'NAME    SHARE  NOTE\nv1        9.5  a\nlonger  100.0\n');
  t.equal(table(['NAME'], [], plain), 'NAME\n', 'nothing is a header');
});

t.test('colour does not count', async (t) => {
  const rows = [[{ text: 'up', tone: 'good' }, 'x'] as const, ['ejected', 'y'] as const];
  const text = table(['STATE', 'N'], rows, coloured);
  t.match(text, '\x1b[32mup\x1b[0m       x\n', 'padded by what is seen');
  t.equal(text.replace(/\x1b\[\d+m/g, ''), table(['STATE', 'N'], rows, plain));
});

t.test('a cell cannot write into the terminal', async (t) => {
  t.equal(table(['A'], [['\x1b[2Jgone\nnext']], plain), 'A\n·[2Jgone next\n');
  t.equal(printable('a\u202eb\x07\x9b1m\r\n\tc'), 'a·b··1m c');
  t.equal(printable('Grüße, 東京'), 'Grüße, 東京');
});

t.test('numbers', async (t) => {
  t.strictSame([0, 0.004, 99.995, 100, null].map(percent), ['0.00 %', '0.00 %', '100.00 %', '100.00 %', '-']);
  t.strictSame([0, 12.5, 33.333].map(share), ['0 %', '12.5 %', '33.33 %']);
  t.strictSame([0, 0.256, 9.99, 31.44, 949.6, null].map(rate), ['0.00', '0.26', '9.99', '31.4', '950', '-']);
  t.strictSame([0, 0.42, 3.14, 99.9, 250.4, 999.4, 1500, 12_040, null].map(latency), [
    '0.00 ms',
    '0.42 ms',
    '3.1 ms',
    '99.9 ms',
    '250 ms',
    '999 ms',
    '1.50 s',
    '12.0 s',
    '-',
  ]);
  t.strictSame([0, 999, 42_000, 60_000, 3_725_000, 432_000_000].map(span), [
    '0s',
    '0s',
    '42s',
    '1m 0s',
    '1h 2m',
    '5d 0h',
  ]);
  t.equal(time('2026-01-01T12:00:00.123Z'), '2026-01-01 12:00:00');
});

t.test('JSON for a terminal means the same and holds nothing that begins an escape sequence', async (t) => {
  const value = { reason: '\x1b[2J\u009b2J\u202e', name: 'häuser' };
  const text = printableJson(value, 2);
  t.strictSame(JSON.parse(text), value);
  t.notMatch(text, /[\x1b\x7f-\x9f\u202e]/);
  t.match(text, /häuser/);
});

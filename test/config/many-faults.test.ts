/**
 * Files with very many keys, faults or aliases. Reading them takes time in proportion to their length: what was quadratic took minutes for those
 * here, which the time limit of a test file does not allow.
 */
import t from 'tap';
import { faultsOf, faultsOfTexts, oneService } from './fault-cases.ts';

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');

t.test('a hundred faults are told, and how many more there are', async (t) => {
  const faults = (count: number): readonly string[] => faultsOf(oneService(lines(count, (i) => `banana${i}: 1`)));
  t.equal(faults(100).length, 100);
  t.match(faults(100).at(-1), /^104:1: banana99: unknown key/);
  t.match(faults(101).slice(99), [/^104:1: banana99: unknown key/, /^ there is one more fault; mend these first$/]);
  const many = faults(50_000);
  t.equal(many.length, 101);
  t.equal(many.at(-1), ' there are 49900 more faults; mend these first');
});

t.test('whatever the faults are', async (t) => {
  const endOf = (text: string): string | undefined =>
    faultsOf(text)
      .at(-1)
      ?.replace(/^ there are/, '');
  const rest = (count: number): string => ` ${count} more faults; mend these first`;
  t.equal(endOf(oneService(lines(20_000, () => 'workers: 1'))), rest(19_899), 'repeated keys');
  t.equal(endOf(`listen: :1\nservices:\n${lines(13_000, (i) => `  s${i}: {}`)}`), rest(12_901), 'services');
  t.equal(endOf(oneService(`trustedProxies:\n${lines(20_000, (i) => `  - \${X${i}}`)}`)), rest(19_900), 'variables');
  t.equal(endOf(oneService(`trustedProxies:\n${lines(20_000, (i) => `  - x${i}`)}`)), rest(19_900), 'addresses');
  t.equal(
    endOf(oneService(`routes:\n${lines(9_000, (i) => `  - { match: { path: /${i} }, service: a${i} }`)}`)),
    rest(8_900),
  );
  const weights = lines(9_000, (i) => `      x${i}: 1`);
  t.equal(endOf(oneService(`    split:\n     weights:\n${weights}`)), rest(8_901), 'versions');
  t.match(endOf(lines(5_000, () => 'a: b: c')), /^ [0-9]+ more faults/, 'syntax');
  const both = faultsOfTexts({ 'a.yaml': oneService(lines(150, () => 'a: 1')), 'b.yaml': lines(150, () => 'b: 1') });
  t.equal(both.length, 101);
  t.match(both.at(-1), /^b\.yaml: there are 200 more faults/, 'of all files together');
});

t.test('aliases are counted', async (t) => {
  const services = (count: number, value: string): string =>
    `listen: :1\nservices:\n  s: &s { versions: { v1: { endpoints: [ "http://a:1" ] } } }\n${lines(count, (i) => `  s${i}: ${value}`)}` +
    'routes: [ { service: s } ]\n';
  for (const value of ['*s', '{ <<: *s }']) {
    t.strictSame(faultsOf(services(300, value)), [], value);
    const [fault, ...more] = faultsOf(services(60_000, value));
    t.match(fault, /^1004:\d+: services\.s1000.*: more than 1000 aliases; write out what they stand for/);
    t.strictSame(more, []);
  }
  t.match(faultsOf(oneService(lines(20_000, (i) => `a${i}: *no`))).at(-1), /there are 901 more faults/);
  t.match(
    faultsOf(
      `a: &a [x]\n${lines(30, (i) => `${'b'.repeat(i + 1)}: &b${i} [${Array(30).fill(i === 0 ? '*a' : `*b${i - 1}`)}]`)}`,
    ),
    [/Excessive alias count/],
    'aliases of aliases',
  );
});

t.test('a long list of names is cut', async (t) => {
  const versions = lines(40, (i) => `      version-${i}: { endpoints: [ "http://a:1" ] }`);
  const text = `listen: :1\nservices:\n  shop:\n    versions:\n${versions}    lanes: { stable: banana }\n`;
  t.match(faultsOf(text), [/: no version banana in this service; there are: version-0, .*, version-29 and 10 more$/]);
});

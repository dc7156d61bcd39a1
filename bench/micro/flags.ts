/** Feature flags: what a request pays for beginning, for asking, and for telling the upstream, with few flags and with many. */
import type { KeySource } from '../../src/model/policy-config.ts';
import type { FlagSnapshot } from '../../src/model/snapshot.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { FlagSet, flagHeaders } from '../../src/proxy/route/flags.ts';
import { type MicroBenchmark, report } from './harness.ts';
import { BROWSER_REQUEST, CLIENT, LIMITS } from './samples.ts';

const USER: KeySource = { from: 'header', name: 'x-user-id' };
const SESSION: KeySource = { from: 'cookie', name: 'session' };

const bytes = Buffer.from(
  BROWSER_REQUEST.toString('latin1').replace('\r\n\r\n', '\r\nX-User-Id: 8f14e45fceea167a\r\n\r\n'),
  'latin1',
);

const flagOf = (i: number, share: number, key: KeySource | null): FlagSnapshot => ({
  name: `flag-${i}`,
  share,
  key,
  header: `X-Flag-${i}`,
});

function benchmark(name: string, count: number, share: number, key: KeySource | null): MicroBenchmark {
  const flags = Array.from({ length: count }, (_, i) => flagOf(i, share, key));
  const names = new FieldNames(flagHeaders(flags));
  const head = new RequestHead(LIMITS, names);
  if (head.parse(bytes, 0, bytes.length) !== bytes.length) console.error(`${name}: the sample is not a request`);
  const set = new FlagSet(flags, names, () => false);
  return {
    name: `flags: ${name}`,
    run: () => {
      set.begin(head);
      return set.lines(head, CLIENT);
    },
  };
}

report([
  benchmark('1, on for everyone', 1, 10_000, null),
  benchmark('1, half by header', 1, 5_000, USER),
  benchmark('1, half by cookie', 1, 5_000, SESSION),
  benchmark('1, half by address', 1, 5_000, { from: 'address' }),
  benchmark('10, half by header', 10, 5_000, USER),
  benchmark('50, half by header', 50, 5_000, USER),
]);

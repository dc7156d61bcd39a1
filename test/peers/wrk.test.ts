/**
 * wrk against Sluice for two seconds: many connections at once, and not one error.
 *
 * Figures are the benchmark's business; here only that the load generator counted no socket error and no answer but 2xx.
 */
import t from 'tap';
import { lacking, run } from './commands.ts';
import { startNginx } from './nginx.ts';
import { configOf, startSluice } from './sluice-process.ts';

t.test('wrk', { skip: lacking('wrk', 'nginx') }, async (t) => {
  const nginx = await startNginx(t, { 'a.txt': 'hello\n', 'large.bin': Buffer.alloc(100_000, 7) });
  const sluice = await startSluice(t, configOf([nginx.url]));
  for (const path of ['/a.txt', '/large.bin']) {
    const { status, output, errors } = await run('wrk', ['-t1', '-c32', '-d1s', `${sluice.url}${path}`]);
    const report = output.toString();
    t.equal(status, 0, errors);
    t.ok(
      Number(/(\d+) requests in/.exec(report)?.[1] ?? 0) > 100,
      `${path}: ${/.* requests in .*/.exec(report)?.[0]?.trim()}`,
    );
    t.notMatch(report, /Socket errors|Non-2xx/, 'no errors');
  }
  t.equal(sluice.child.exitCode, null, 'sluice lives');
});

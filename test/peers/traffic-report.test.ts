/** SIGUSR2, and the end of a drain: what has become of the requests of each version, as a person reads it in the log. */
import t from 'tap';
import { until } from '../kit/signal.ts';
import { startOrigin } from './origin.ts';
import { configOf, type SluiceProcess, startSluice } from './sluice-process.ts';

interface Traffic {
  readonly event: string;
  readonly version: string;
  readonly requests: number;
  readonly inFlight: number;
  readonly attempts: Readonly<Record<string, number>>;
  readonly replies: Readonly<Record<string, number>>;
  readonly shield: { readonly requests: number; readonly saved: number; readonly meanDelay: number | null };
  readonly affinity: { readonly hits: number; readonly misses: number; readonly hitRate: number | null };
}

const reports = (sluice: SluiceProcess): Traffic[] =>
  sluice.log
    .filter((line) => line.startsWith('{'))
    .map((line): Traffic => JSON.parse(line))
    .filter(({ event }) => event === 'traffic');

t.test('requests, shield and sessions in the log', async (t) => {
  const stable = await startOrigin(t);
  const canary = await startOrigin(t, {
    '/': (_request, response) => {
      response.statusCode = 500;
      response.end();
    },
  });
  const config = configOf(
    [],
    {},
    {
      versions: { v1: { endpoints: [stable.url] }, v2: { endpoints: [canary.url] } },
      lanes: { stable: 'v1', canary: 'v2' },
      split: { weights: { v1: 0, v2: 100 } },
      shield: {},
      affinity: { header: 'X-User' },
    },
  );
  const sluice = await startSluice(t, config);
  for (let i = 0; i < 6; i++) {
    const answer = await fetch(sluice.url, { headers: { 'x-user': `user-${i % 2}`, connection: 'close' } });
    t.equal(answer.status, 200);
    await answer.text();
  }
  sluice.child.kill('SIGUSR2');
  await until('both versions in the log', () => reports(sluice).length >= 2);
  const [v1, v2] = reports(sluice);
  t.match(v1, {
    version: 'v1',
    requests: 0,
    attempts: { '2xx': 6, '5xx': 0 },
    replies: { '2xx': 6, '3xx': 0, '4xx': 0, '5xx': 0 },
    shield: { requests: 0, meanDelay: null },
  });
  t.match(v2, {
    version: 'v2',
    requests: 6,
    inFlight: 0,
    attempts: { '2xx': 0, '5xx': 6 },
    replies: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    shield: { requests: 6, saved: 6 },
  });
  t.equal(typeof v2?.shield.meanDelay, 'number', 'what the shield cost');
  const { hits = 0, misses = 0, hitRate } = v2?.affinity ?? {};
  t.equal(hits + misses, 6);
  t.ok(misses >= 2 && misses <= 4, 'two users, two workers');
  t.equal(hitRate, Number((hits / 6).toFixed(4)));
  t.equal(v1?.affinity.hitRate, null, 'nothing is not nought');

  sluice.child.kill('SIGTERM');
  t.strictSame(await sluice.exit, { code: 0, signal: null });
  t.equal(reports(sluice).length, 4, 'once more behind the drain');
});

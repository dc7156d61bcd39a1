import t from 'tap';
import { DURATION_BOUNDS } from '../../src/model/request-table.ts';
import { Stage, TWO_VERSIONS } from './metrics-stage.ts';

const ONLY_V1 = TWO_VERSIONS.replace(/^ +v2: \{.*\n/m, '')
  .replace(', canary: v2', '')
  .replace(/^ +split:.*\n/m, '');

t.test('answers are counted by version, lane and code', async (t) => {
  const stage = new Stage(t);
  stage.answer('v1', 200, 1, 40, 0);
  stage.answer('v1', 200, 1, 2, 1);
  stage.answer('v2', 503);
  stage.answer('v2', 599);
  stage.answer(null, 404);
  const scrape = await stage.scrape();
  t.equal(scrape.value('sluice_requests_total', { service: 'shop', version: 'v1', lane: 'stable', code: '200' }), 42);
  t.equal(scrape.value('sluice_requests_total', { version: 'v2', lane: 'canary', code: '503' }), 1);
  t.equal(scrape.value('sluice_requests_total', { version: 'v2', code: '500' }), 1, 'a status without a name');
  t.equal(scrape.value('sluice_requests_total', { service: '', version: '', lane: '', code: '404' }), 1);
  t.equal(scrape.lines('sluice_requests_total').length, 4, 'codes that nobody got are not there');
});

t.test('attempts are there before the first one, by every outcome', async (t) => {
  const stage = new Stage(t);
  const outcomes = ['1xx', '2xx', '3xx', '4xx', '5xx', 'connect_failure', 'reset', 'timeout', 'malformed'];
  t.strictSame(
    (await stage.scrape())
      .lines('sluice_attempts_total', { version: 'v2' })
      .map(({ labels, value }) => [labels.outcome, value]),
    outcomes.map((outcome) => [outcome, 0]),
  );
  for (const [i, status] of [101, 204, 302, 404, 500].entries()) {
    for (let k = 0; k <= i; k++) stage.attempt('v2', status, 3, k % 2);
  }
  for (const [i, slot] of (['connectFailures', 'resets', 'timeouts', 'malformed'] as const).entries()) {
    stage.count('v2', slot, 6 + i);
  }
  t.strictSame(
    (await stage.scrape()).lines('sluice_attempts_total', { version: 'v2' }).map(({ value }) => value),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

t.test('durations are cumulative, a value on a bound belongs to it, +Inf is the count', async (t) => {
  const stage = new Stage(t);
  for (const ms of [0.5, 5, 5.01, 100, 61_000]) stage.answer('v1', 200, ms);
  stage.attempt('v1', 200, 30, 1);
  const scrape = await stage.scrape();
  const at = (metric: string, le: string): number | null =>
    scrape.value(`sluice_${metric}_duration_seconds_bucket`, { version: 'v1', le });
  t.strictSame(
    ['0.0005', '0.0025', '0.005', '0.01', '0.05', '0.1', '1.0', '60.0', '+Inf'].map((le) => at('request', le)),
    [1, 1, 2, 3, 3, 4, 4, 4, 5],
  );
  t.equal(scrape.value('sluice_request_duration_seconds_count', { version: 'v1' }), 5);
  t.equal(scrape.value('sluice_request_duration_seconds_sum', { version: 'v1' })?.toFixed(5), '61.11051');
  t.strictSame([at('upstream', '0.025'), at('upstream', '0.05'), at('upstream', '+Inf')], [0, 1, 1]);
  t.equal(scrape.value('sluice_upstream_duration_seconds_sum', { version: 'v1' }), 0.03);
  t.equal(
    scrape.lines('sluice_request_duration_seconds_bucket', { version: 'v2' }).length,
    DURATION_BOUNDS.length + 1,
    'a version that nobody has called yet has its buckets',
  );
});

t.test('what belongs to a feature is there where the feature is, or where something was counted', async (t) => {
  const stage = new Stage(t);
  const features = ['retries', 'shielded', 'hedges', 'affinity_hits', 'circuit_overflows'];
  const bare = await stage.scrape();
  for (const feature of features) t.equal(bare.lines(`sluice_${feature}_total`).length, 0, feature);
  stage.count('v1', 'retries', 3);
  t.equal((await stage.scrape()).value('sluice_retries_total', { version: 'v1' }), 3);

  stage.apply(`${TWO_VERSIONS}    retry: {}
    shield: {}
    hedge: { after: 50ms }
    affinity: { cookie: session }
    circuit: { maxRequests: 5 }
    outlier: {}
`);
  stage.count('v2', 'shielded', 4);
  stage.count('v2', 'shieldDelay', 1_500, 1);
  stage.count('v2', 'active', 2, 1);
  const full = await stage.scrape();
  for (const feature of features) t.equal(full.lines(`sluice_${feature}_total`).length, 2, feature);
  t.equal(full.value('sluice_shielded_total', { version: 'v2' }), 4);
  t.equal(full.value('sluice_shield_delay_seconds_total', { version: 'v2' }), 1.5);
  t.equal(full.value('sluice_version_requests_in_flight', { version: 'v2' }), 2);
  t.equal(full.value('sluice_outlier_ejections_active', { version: 'v2' }), 0);
});

t.test('a version that takes over the row of another begins at 0; one that returns goes on', async (t) => {
  const stage = new Stage(t);
  stage.answer('v2', 500, 7, 100);
  stage.attempt('v2', 500, 7);
  stage.count('v2', 'active', 3);
  const row = stage.idOf('v2');
  stage.apply(ONLY_V1);
  t.strictSame((await stage.scrape()).lines('sluice_requests_total'), []);

  stage.apply(TWO_VERSIONS.replaceAll('v2', 'v3'));
  t.equal(stage.idOf('v3'), row, 'the row is the same');
  const fresh = await stage.scrape();
  t.strictSame(fresh.lines('sluice_requests_total'), []);
  t.equal(fresh.value('sluice_attempts_total', { version: 'v3', outcome: '5xx' }), 0);
  t.equal(fresh.value('sluice_request_duration_seconds_count', { version: 'v3' }), 0);
  t.equal(fresh.value('sluice_request_duration_seconds_sum', { version: 'v3' }), 0);
  stage.answer('v3', 500, 7, 5);

  stage.apply(ONLY_V1);
  stage.apply(TWO_VERSIONS);
  stage.answer('v2', 500, 7, 1);
  const back = await stage.scrape();
  t.equal(back.value('sluice_requests_total', { version: 'v2', code: '500' }), 101);
  t.equal(back.value('sluice_request_duration_seconds_count', { version: 'v2' }), 101);
  t.equal(back.value('sluice_attempts_total', { version: 'v2', outcome: '5xx' }), 1);
});

t.test('answers stay with the lane in which they were given', async (t) => {
  const stage = new Stage(t);
  stage.answer('v2', 500, 1, 10);
  const rolledBack = TWO_VERSIONS.replace(', canary: v2', '');
  stage.apply(rolledBack);
  stage.answer('v2', 500);
  const scrape = await stage.scrape();
  t.equal(scrape.value('sluice_requests_total', { version: 'v2', lane: 'canary' }), 10, 'the errors are still seen');
  t.equal(scrape.value('sluice_requests_total', { version: 'v2', lane: '' }), 1);
  t.equal(scrape.value('sluice_weight', { version: 'v2', lane: '' }), 10);
});

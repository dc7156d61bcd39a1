/** A shared outage that only the SLO speaks of: found live, where the rollout went on to everybody while both versions failed. */
import t from 'tap';
import { judgeEvidence } from '../../src/control/analysis/evidence.ts';
import { dangerOf } from '../../src/control/rollout/danger.ts';
import type { Observation } from '../../src/control/rollout/observation.ts';
import type { Rollout } from '../../src/control/rollout/rollout.ts';
import type { ShareCounts, SideCounts } from '../../src/model/evidence-table.ts';
import type { EvidenceConfig } from '../../src/model/rollout-config.ts';

const config: EvidenceConfig = {
  ...{ alpha: 0.001, shares: { errors: 0.4, slo: 0.3, latency: 0.15, ratio: 0.15 }, tolerance: 1, maxFailures: 0 },
  ...{ earlyPass: false, slo: 5, proof: 0.05, latency: null },
};
const rollout = { stable: 'v1', version: 'v2', strategy: { rollbackWhen: [], unavailableFor: 5_000 } };

function side(trials: number, counted: number): SideCounts {
  return {
    trials,
    keyless: 0,
    failed: counted,
    counted,
    slow: 0,
    ended: trials,
    aborted: 0,
    left: 0,
    late: 0,
    userErrors: 0,
  };
}

function danger(counts: readonly ShareCounts[], outage?: boolean) {
  const seen: Partial<Observation> = {
    ...{ gone: null, switched: null, rules: [], evidence: judgeEvidence(counts, config, 0) },
    health: { unavailable: 0, known: true, stableUnavailable: false },
    ...(outage !== undefined && { outage }),
  };
  return dangerOf(rollout as unknown as Rollout, seen as Observation);
}

const both = [{ share: 0.1, canary: side(100, 50), stable: side(900, 450) }];

t.test('an SLO that both versions break is an incident', async (t) => {
  t.match(danger(both, true), { cause: 'incident', reason: /SLO|5 %/ });
});

t.test('what is remembered of an outage that is over holds nothing', async (t) => {
  t.equal(danger(both, false), null);
  t.equal(danger(both), null);
});

t.test('an SLO that the canary alone breaks takes it back', async (t) => {
  const alone = [{ share: 0.1, canary: side(100, 50), stable: side(900, 0) }];
  t.match(danger(alone, false), { cause: 'evidence' });
});

t.test('usual errors below the SLO are no incident', async (t) => {
  t.equal(danger([{ share: 0.1, canary: side(1_000, 20), stable: side(9_000, 180) }], true), null);
});

t.test('a switch that a worker threw says so where the evidence has become less since', async (t) => {
  const counts = [{ share: 0.1, canary: side(100, 4), stable: side(900, 3) }];
  const seen: Partial<Observation> = {
    ...{ gone: null, switched: 'errors', rules: [], evidence: judgeEvidence(counts, config, 0) },
    health: { unavailable: 0, known: true, stableUnavailable: false },
  };
  const found = dangerOf(rollout as unknown as Rollout, seen as Observation);
  t.match(found, { cause: 'evidence', reason: /^a worker found enough evidence \(errors\); now 4 of 7 failures/ });
});

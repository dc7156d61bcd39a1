/**
 * Evidence: what a request pays where no rollout compares its version, where one does, and where it fails.
 *
 * A trial that fails is measured with one and with twenty shares in use, and with four workers, because the sums over all of them are made then.
 */
import { Attribution } from '../../src/model/attribution.ts';
import {
  markOf,
  newEvidenceTable,
  SIDE_SLOTS,
  shareSlot,
  sideSlot,
  TERMS,
  termsSlot,
} from '../../src/model/evidence-table.ts';
import { Evidence } from '../../src/proxy/record/evidence.ts';
import { Trial } from '../../src/proxy/record/trial.ts';
import { Choice } from '../../src/proxy/route/choice.ts';
import type { Version } from '../../src/proxy/route/version.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { TimerWheel } from '../../src/runtime/timer-wheel.ts';
import { report } from './harness.ts';

const VERSION = 1;
const WORKERS = 4;
const wheel = new TimerWheel(systemClock, 5, { resting: true });

interface Stage {
  readonly trial: Trial;
  readonly choice: Choice;
}

function stage(shares: number, slowLimit: number, mark: number, key: number): Stage {
  const table = newEvidenceTable(WORKERS);
  const { terms } = table;
  const first = termsSlot(0);
  terms[first + TERMS.shares] = shares;
  terms[first + TERMS.slowLimit] = slowLimit;
  terms[first + TERMS.errorsThreshold] = 1e12;
  terms[first + TERMS.errorsTolerance] = 1;
  for (let share = 0; share < shares; share++) {
    terms[shareSlot(0, share)] = (share + 1) / (shares + 1);
    for (const side of [0, 1]) table.totals[1]![sideSlot(0, share, side) + SIDE_SLOTS.counted] = 2 + side;
  }
  const clock = systemClock;
  const evidence = new Evidence({ table, index: 0, clock, wall: Date.now });
  const trial = new Trial({ clock, fineWheel: wheel, evidence });
  const choice = new Choice();
  choice.version = { id: VERSION } as Version;
  choice.mark = mark;
  choice.byWeight = true;
  choice.key = key;
  return { trial, choice };
}

/** What exchange, dispatch and attempt do for a request that is answered. */
function good({ trial, choice }: Stage): boolean {
  trial.begin(choice);
  if (trial.active) trial.describe('GET', '/', 'default', '0123');
  const onTrial = trial.takes(VERSION);
  if (onTrial) trial.sent(1);
  if (onTrial) trial.answered(2);
  if (trial.active) trial.end('done', 200, 'done');
  if (onTrial) trial.givenUp();
  return onTrial;
}

function bad({ trial, choice }: Stage): boolean {
  trial.begin(choice);
  trial.describe('GET', '/', 'default', '0123');
  trial.takes(VERSION);
  trial.sent(1);
  trial.failed(500, null, 1, 'http://127.0.0.1:3001', 2);
  trial.end('done', 500, 'done');
  return true;
}

const canary = markOf(0, false);
const unmarked = stage(1, 0, 0, 7);
const compared = stage(1, 0, canary, 7);
const watched = stage(1, 100, canary, 7);
const one = stage(1, 0, canary, -1);
const twenty = stage(20, 0, canary, -1);
const again = stage(20, 0, canary, 7);
const attribution = new Attribution();

report([
  { name: 'evidence: a request of no rollout', run: () => good(unmarked) },
  { name: 'evidence: a request that is compared', run: () => good(compared) },
  { name: 'evidence: the same, with a limit of time', run: () => good(watched) },
  { name: 'evidence: a failure, 1 share, 4 workers', run: () => bad(one) },
  { name: 'evidence: a failure, 20 shares, 4 workers', run: () => bad(twenty) },
  { name: 'evidence: a failure of a session that has failed before', run: () => bad(again) },
  {
    name: 'evidence: attribution of 20 shares',
    run: () => {
      attribution.reset();
      for (let share = 1; share <= 20; share++) attribution.add(share / 21, 3, 2, 1);
      return attribution.logE;
    },
  },
]);
wheel.close();

/**
 * Is the canary slower for long, or was it slow for a moment? The second witness of the latency test.
 *
 * Attribution takes every slow request for a witness of its own. They are not: a process that waits for a processor, or collects garbage, answers
 * half a dozen requests late at once, and those are all its own, whatever its share. On a busy machine that alone takes back an equal canary in
 * one rollout of five (bench/ROLLBACK.md). So time is cut into windows, and in each of them it is only asked whether the canary had more than
 * TOLERANCE times the part of slow requests that stable had. A pause makes one window, or two. If the canary is no slower it wins at most
 * every other window, so a bet on more multiplies a capital by at most 1 on average, and the chance that it ever reaches 1/α is at most α:
 *
 *     E = mean over p of Π p/½ (won) or (1 − p)/½ (not won),   p = 0.6, 0.75, 0.9, 0.99
 *
 * The latency test is the less of the two e-values, which holds if either is right. It costs time: fourteen windows in a row, which are three and a half
 * seconds, before a canary can be found slow. A window ends when it is WINDOW long and has LEAST requests of the canary; requests that have
 * been running all through it are slow ones of it, so a canary that hangs is seen although nobody asks it anything any more. Windows of one
 * version alone, without slow requests, or before anything is called slow, say nothing. Nothing is kept over a restart.
 */
import type { ShareCounts, SideCounts } from '../../model/evidence-table.ts';
import { mixed, STARTS, type Start } from './fresh-starts.ts';

/** Milliseconds; a little less than there is between two looks, of which one may come a little early. */
export const WINDOW = 200;
/** Requests of the canary. */
const LEAST = 10;
const TOLERANCE = 2;
const BETS = [0.6, 0.75, 0.9, 0.99] as const;

type Counts = Pick<SideCounts, 'trials' | 'late' | 'ended'>;

interface Mark {
  readonly at: number;
  readonly canary: Counts;
  readonly stable: Counts;
}

export class SlowWindows {
  won = 0;
  lost = 0;
  #mark: Mark | null = null;
  #starts: readonly Start<{ readonly won: number; readonly lost: number }>[] = [];

  /** Begins the bet anew beside the others, as all evidence is (fresh-starts.ts). */
  startAnew(cost: number): void {
    const { won, lost } = this;
    this.#starts = [...this.#starts.slice(-(STARTS - 1)), { from: { won, lost }, cost }];
  }

  /** Looks at the counts of now. @param isOn whether anything is called slow. */
  note(now: number, counts: readonly ShareCounts[], isOn: boolean): void {
    if (!isOn) {
      this.#mark = null;
      return;
    }
    const next: Mark = { at: now, canary: sumOf(counts, 'canary'), stable: sumOf(counts, 'stable') };
    const mark = this.#mark;
    if (mark === null) {
      this.#mark = next;
      return;
    }
    const canary = between(mark.canary, next.canary);
    if (now - mark.at < WINDOW || canary.requests < LEAST) return;
    this.#mark = next;
    this.#judge(canary, between(mark.stable, next.stable));
  }

  #judge(canary: Part, stable: Part): void {
    if (stable.requests === 0 || canary.slow + stable.slow === 0) return;
    if (canary.slow / canary.requests > (TOLERANCE * stable.slow) / stable.requests) this.won++;
    else this.lost++;
  }

  /** Natural logarithm of the e-value, 0 without windows. */
  get logE(): number {
    const { won, lost } = this;
    return mixed(capitalOf(won, lost), this.#starts, (from) => capitalOf(won - from.won, lost - from.lost));
  }
}

function capitalOf(won: number, lost: number): number {
  const capital = BETS.map((p) => won * Math.log(2 * p) + lost * Math.log(2 * (1 - p)));
  const most = Math.max(...capital);
  return most + Math.log(capital.reduce((sum, each) => sum + Math.exp(each - most), 0) / BETS.length);
}

interface Part {
  readonly requests: number;
  readonly slow: number;
}

/** What a window had; those that ran all through it are in both numbers. */
function between(from: Counts, to: Counts): Part {
  const ended = to.ended - from.ended;
  const stuck = Math.max(0, from.trials - from.ended - ended);
  return { requests: to.trials - from.trials + stuck, slow: to.late - from.late + stuck };
}

function sumOf(counts: readonly ShareCounts[], side: 'canary' | 'stable'): Counts {
  const sum = { trials: 0, late: 0, ended: 0 };
  for (const entry of counts) {
    sum.trials += entry[side].trials;
    sum.late += entry[side].late;
    sum.ended += entry[side].ended;
  }
  return sum;
}

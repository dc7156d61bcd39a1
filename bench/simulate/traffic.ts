/**
 * Requests of a rollout as counts by share, as the workers would have counted them, from one event to the next.
 *
 * A request may fail, be slow, or be given up, each with a chance of its version's; and there may be sticky clients, each of which has its
 * requests fail (or given up) whatever version they go to, and stays with the version that its hash gives it: to the canary when the hash is
 * below the share, as the split does. Requests without event are only numbers, dealt exactly. `looked` is called after every event and ends the run
 * by saying so; what it gets are the counts that the product's own tests read.
 */
import type { ShareCounts, SideCounts } from '../../src/model/evidence-table.ts';
import type { Random } from '../../src/runtime/random.ts';
import { gap } from './dice.ts';

export type EventKind = 'failed' | 'slow' | 'aborted';
const KINDS: readonly EventKind[] = ['failed', 'slow', 'aborted'];

/** Chances of a request. */
export type Rates = { readonly [Kind in EventKind]?: number };

export interface Traffic {
  readonly steps: readonly { readonly share: number; readonly requests: number }[];
  readonly canary: Rates;
  readonly stable: Rates;
  readonly sticky?: {
    readonly clients: number;
    /** Of all requests, theirs. */
    readonly part: number;
    /** What happens to them. */
    readonly kind: EventKind;
  };
  /** Whether only the first event of a sticky client is evidence, as in the product. Default true. */
  readonly firstOnly?: boolean;
  /** Processes that stand still now and then, canary's and stable's alike: a pause makes several requests of its version slow in a row. */
  readonly pauses?: { readonly chance: number; readonly requests: number };
}

export interface Run {
  /** Of both versions, until it was ended; null where nothing ended it. */
  readonly stoppedAt: number | null;
  /** Events of the canary until then. */
  readonly canaryEvents: number;
  readonly counts: readonly ShareCounts[];
}

interface Chance {
  readonly kind: EventKind;
  readonly isCanary: boolean;
  readonly p: number;
  readonly times: number;
}

/** Per request of either version. */
function chancesOf({ canary, stable, pauses }: Traffic, share: number): Chance[] {
  return [
    ...KINDS.map((kind) => ({ kind, isCanary: true, p: share * (canary[kind] ?? 0), times: 1 })),
    ...KINDS.map((kind) => ({ kind, isCanary: false, p: (1 - share) * (stable[kind] ?? 0), times: 1 })),
    ...[true, false].map(
      (isCanary): Chance => ({
        kind: 'slow',
        isCanary,
        p: (isCanary ? share : 1 - share) * (pauses?.chance ?? 0),
        times: pauses?.requests ?? 0,
      }),
    ),
  ];
}

type Counts = { -readonly [Key in keyof SideCounts]: number };

/** @returns whether the run is over. */
export type Look = (counts: readonly ShareCounts[], fromCanary: boolean) => boolean;

const SLOTS = { failed: 'counted', slow: 'slow', aborted: 'left' } as const;

export function simulate(traffic: Traffic, random: Random, looked: Look): Run {
  const { sticky } = traffic;
  const hashes = Array.from({ length: sticky?.clients ?? 0 }, () => random.next());
  const seen = new Set<number>();
  const counts: { share: number; canary: Counts; stable: Counts }[] = [];
  let before = 0;
  let canaryEvents = 0;
  for (const { share, requests } of traffic.steps) {
    const entry = { share, canary: noCounts(), stable: noCounts() };
    counts.push(entry);
    const chances = chancesOf(traffic, share);
    const others = chances.reduce((sum, { p }) => sum + p, 0);
    const any = others + (sticky?.part ?? 0);
    for (let at = gap(random, any); at <= requests; at += gap(random, any)) {
      deal(entry, at);
      let u = random.next() * any;
      let kind: EventKind = 'failed';
      let isCanary = false;
      let times = 1;
      let isEvidence = true;
      if (sticky !== undefined && u >= others) {
        const client = Math.floor(random.next() * sticky.clients);
        kind = sticky.kind;
        isCanary = hashes[client]! < share;
        isEvidence = traffic.firstOnly === false || !seen.has(client);
        seen.add(client);
      } else {
        for (const chance of chances) {
          if (chance.p === 0) continue;
          kind = chance.kind;
          isCanary = chance.isCanary;
          times = chance.times;
          u -= chance.p;
          if (u < 0) break;
        }
      }
      const side = isCanary ? entry.canary : entry.stable;
      for (; times > 0; times--) {
        if (kind === 'failed') side.failed++;
        if (kind === 'aborted') side.aborted++;
        if (isCanary) canaryEvents++;
        if (!isEvidence) continue;
        side[SLOTS[kind]]++;
        if (looked(counts, isCanary)) return { stoppedAt: before + at, canaryEvents, counts };
      }
    }
    before += requests;
    deal(entry, requests);
    if (looked(counts, true)) return { stoppedAt: before, canaryEvents, counts };
  }
  return { stoppedAt: null, canaryEvents, counts };
}

function deal({ share, canary, stable }: { share: number; canary: Counts; stable: Counts }, requests: number): void {
  const toCanary = Math.round(requests * share);
  canary.trials = canary.ended = canary.keyless = toCanary;
  stable.trials = stable.ended = stable.keyless = requests - toCanary;
}

const noCounts = (): Counts => ({
  trials: 0,
  keyless: 0,
  failed: 0,
  counted: 0,
  slow: 0,
  ended: 0,
  aborted: 0,
  userErrors: 0,
  left: 0,
  late: 0,
});

/**
 * What one request says about the version that it was given to, where a rollout compares that version.
 *
 *     NONE ─begin─▶ ASSIGNED ─first attempt─▶ RUNNING ─failed─▶ OVER            any ─end─▶ NONE
 *                       └─ first attempt is on another version ─▶ OVER
 *
 * The first attempt on the assigned version is what counts: what a retry or the shield makes of it is the user's luck and not the
 * version's merit, and a second attempt that lands on stable is no sample of stable. A pooled connection that turned out to be closed is
 * no attempt; the same request on a fresh one goes on being the first. It fails by a status of 500 or more, as soon as its head is
 * there, or by anything that cuts it short, up to the last byte of the answer. It is slow when its head is not there `slowLimit` after the last
 * byte of the request: counted at that moment, since whoever waits for the end of a hanging request waits in vain. An attempt that is given
 * up, because the client left or a hedge was faster, is neither.
 *
 * Everything is counted under the share that held when the request was assigned, and nothing under a row that is used for another rollout
 * by then. Of a session only the first failure, the first slow request and the first one that its client left are evidence: a client that
 * fails again and again, wherever it is sent, would else condemn the version that it is pinned to.
 *
 * Only a request that the weights decided about is a sample. One that an experiment, a header's value or the strategies without shares
 * (`round_robin`, `latency`) sent to the version came in another proportion than the canary's share says, and would be held against it;
 * it is looked at for the budget alone (`NOT_A_SAMPLE`).
 *
 * One of these belongs to each exchange and is used again. Where no rollout compares the version a request pays for one comparison.
 *
 * @hotpath bench/micro/evidence.ts
 */
import { CLOSED, rowOf, SIDE_SLOTS, STABLE_SIDE, sideSlot, TERMS } from '../../model/evidence-table.ts';
import { LOCAL_REPLIES, type ReplyCode } from '../../model/local-reply.ts';
import { Timer, type TimerOwner } from '../../runtime/timer-wheel.ts';
import { NO_KEY } from '../balance/policy.ts';
import type { Choice } from '../route/choice.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { RequestEnd } from './counters.ts';
import { FAILED, LEFT, SLOW } from './evidence.ts';

const NONE = 0;
const ASSIGNED = 1;
const RUNNING = 2;
const OVER = 3;

/** Stands for the counts of a request that is no sample. */
const NOT_A_SAMPLE = -1;
const NOT_SENT = Number.POSITIVE_INFINITY;
/** Characters of a path that are told. */
const LONGEST_PATH = 256;

export class Trial implements TimerOwner {
  readonly #context: Pick<WorkerContext, 'clock' | 'fineWheel' | 'evidence'>;
  readonly #timer = new Timer(this);
  #state = NONE;
  #row = 0;
  #use = 0;
  /** Version id. */
  #version = 0;
  #isCanary = false;
  /** First count of its side at its share. */
  #counts = NOT_A_SAMPLE;
  #key = NO_KEY;
  /** 0 where nothing is slow. */
  #slowLimit = 0;
  /** When the request had been sent whole, clock milliseconds. */
  #sentAt = NOT_SENT;
  #failed = false;
  #slow = false;
  #method = '';
  #target = '';
  #route = '';
  #id = '';

  constructor(context: Pick<WorkerContext, 'clock' | 'fineWheel' | 'evidence'>) {
    this.#context = context;
  }

  /** Whether the request is looked at. */
  get active(): boolean {
    return this.#state !== NONE;
  }

  /** The version has been chosen. */
  begin(choice: Choice): void {
    const { mark } = choice;
    const row = rowOf(mark);
    if (row < 0) return;
    const isCanary = (mark & STABLE_SIDE) === 0;
    if (!choice.byWeight && !isCanary) return;
    const { evidence } = this.#context;
    this.#state = ASSIGNED;
    this.#row = row;
    this.#use = evidence.term(row, TERMS.use);
    this.#version = choice.version!.id;
    this.#isCanary = isCanary;
    this.#key = choice.key;
    this.#slowLimit = choice.byWeight ? evidence.term(row, TERMS.slowLimit) : 0;
    this.#sentAt = NOT_SENT;
    this.#failed = false;
    this.#slow = false;
    this.#counts = choice.byWeight ? sideSlot(row, evidence.term(row, TERMS.current), isCanary ? 0 : 1) : NOT_A_SAMPLE;
    this.#count(SIDE_SLOTS.trials);
    if (choice.key === NO_KEY) this.#count(SIDE_SLOTS.keyless);
  }

  /** What is told of the request if it fails; only where it is looked at. */
  describe(method: string, target: string, route: string, id: string): void {
    this.#method = method;
    this.#target = target;
    this.#route = route;
    this.#id = id;
  }

  /** Whether nothing more may go to the version, though it was chosen: a request may have been held back, or be about to be tried again. */
  closed(version: number): boolean {
    if (this.#state === NONE || version !== this.#version) return false;
    return (this.#context.evidence.table.marks[version]! & CLOSED) !== 0;
  }

  /** An attempt on a version starts. @returns whether it is the one that counts; then its owner tells what becomes of it. */
  takes(version: number): boolean {
    if (this.#state !== ASSIGNED) return false;
    this.#state = version === this.#version ? RUNNING : OVER;
    return this.#state === RUNNING;
  }

  /** The last byte of the request has left. */
  sent(now: number): void {
    if (this.#slowLimit === 0 || this.#state !== RUNNING) return;
    this.#sentAt = now;
    this.#context.fineWheel.start(this.#timer, this.#slowLimit);
  }

  /** The response head is there. */
  answered(now: number): void {
    this.#judgeTime(now);
  }

  /**
   * The attempt has failed.
   *
   * @param status of its answer, 0 where there is none. @param code why there is no answer, or no more of it; null where the status is the failure.
   * @param duration milliseconds since the end of the request. @param endpoint its URL.
   */
  failed(status: number, code: ReplyCode | null, duration: number, endpoint: string, now: number): void {
    this.#judgeTime(now);
    if (this.#state !== RUNNING) return;
    this.#state = OVER;
    this.#failed = true;
    if (!this.#holds) return;
    const { evidence } = this.#context;
    const isNew = this.#counts !== NOT_A_SAMPLE && evidence.isFirst(this.#row, FAILED, this.#key);
    this.#count(SIDE_SLOTS.failed);
    if (isNew) this.#count(SIDE_SLOTS.counted);
    if (!this.#isCanary) return;
    const cause = evidence.canaryFailed(this.#row, this.#version, isNew);
    if (cause !== null || evidence.mayTell()) this.#tell(status, code, duration, endpoint);
    if (cause !== null) evidence.tellSwitched(this.#row, this.#use, cause);
  }

  /** The attempt is not waited for any more; its owner tells nothing more of it. */
  givenUp(): void {
    this.#sentAt = NOT_SENT;
    this.#context.fineWheel.stop(this.#timer);
  }

  onTimer(): void {
    const now = this.#context.clock.now();
    const left = this.#slowLimit - (now - this.#sentAt);
    // A wheel may be ahead of its time in a turn of the event loop that lasts long.
    if (left > 0) this.#context.fineWheel.start(this.#timer, left);
    else this.#judgeTime(now);
  }

  /** Once it is known how long the attempt has taken, or that it takes too long. */
  #judgeTime(now: number): void {
    const sentAt = this.#sentAt;
    if (sentAt === NOT_SENT) return;
    this.#sentAt = NOT_SENT;
    this.#context.fineWheel.stop(this.#timer);
    if (this.#slow || now - sentAt < this.#slowLimit || !this.#holds) return;
    this.#slow = true;
    this.#count(SIDE_SLOTS.late);
    const { evidence } = this.#context;
    if (!evidence.isFirst(this.#row, SLOW, this.#key)) return;
    this.#count(SIDE_SLOTS.slow);
    if (!this.#isCanary) return;
    const cause = evidence.canarySlow(this.#row, this.#version);
    if (cause !== null) evidence.tellSwitched(this.#row, this.#use, cause);
  }

  /**
   * The user has what there is.
   *
   * @param status of the answer. @param cause why an answer was cut, else how it ended.
   */
  end(how: RequestEnd, status: number, cause: RequestEnd): void {
    if (this.#state === NONE) return;
    if (this.#holds) {
      this.#count(SIDE_SLOTS.ended);
      if (how === 'aborted') {
        if (!this.#failed) this.#abandoned();
      } else if (how === 'cut' ? isUpstreams(cause) : status >= 500) this.#count(SIDE_SLOTS.userErrors);
    }
    this.givenUp();
    this.#state = NONE;
    this.describe('', '', '', '');
  }

  /** The client has gone and there was no verdict. */
  #abandoned(): void {
    this.#count(SIDE_SLOTS.aborted);
    if (this.#counts === NOT_A_SAMPLE || !this.#context.evidence.isFirst(this.#row, LEFT, this.#key)) return;
    this.#count(SIDE_SLOTS.left);
  }

  /** The connection goes away for good. */
  dispose(): void {
    this.#context.fineWheel.remove(this.#timer);
  }

  /** Whether the row still belongs to the rollout that the request was assigned under. */
  get #holds(): boolean {
    return this.#context.evidence.term(this.#row, TERMS.use) === this.#use;
  }

  #count(slot: number): void {
    if (this.#counts !== NOT_A_SAMPLE) this.#context.evidence.count(this.#counts + slot);
  }

  #tell(status: number, code: ReplyCode | null, duration: number, endpoint: string): void {
    const { evidence } = this.#context;
    const query = this.#target.indexOf('?');
    const end = query < 0 || query > LONGEST_PATH ? LONGEST_PATH : query;
    evidence.tell({
      row: this.#row,
      use: this.#use,
      at: evidence.wall(),
      method: this.#method,
      path: this.#target.slice(0, end),
      route: this.#route,
      status,
      flag: code === null ? '' : LOCAL_REPLIES[code].flag,
      duration,
      requestId: this.#id,
      endpoint,
    });
  }
}

/** Whether an answer was cut by the upstream's fault and not by the client's. */
function isUpstreams(cause: RequestEnd): boolean {
  return cause in LOCAL_REPLIES && LOCAL_REPLIES[cause as ReplyCode].status >= 500;
}

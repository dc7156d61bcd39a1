/**
 * A storm: the configuration is reloaded every hundred milliseconds and weights change every ten, while users of every kind go on.
 *
 * Reloads come by a changed file, by SIGHUP and by the API in turn. Changes are due by the clock and do not wait for those before them, up to
 * a limit; what is due beyond that is skipped and counted, since a slow disk is not what is judged here.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReloadResult } from '../../src/control/operations.ts';
import type { Weights } from './admin-calls.ts';
import { LASTING_UPSTREAMS, type UpstreamName } from './storm-config.ts';
import { drumbeat, runWrk } from './storm-load.ts';
import type { StormOutcome } from './storm-outcome.ts';
import type { StormStage } from './storm-stage.ts';
import { Talker, Transfers } from './storm-visitors.ts';

const RELOADS = 'sluice_config_reloads_total';
/** Times that memory is looked at. */
const LOOKS = 10;

export interface StormPlan {
  readonly seconds: number;
  readonly weightsEvery: number;
  readonly reloadEvery: number;
  readonly webSockets: number;
  /** Pairs of a download and an upload that are always under way, and how long each takes. */
  readonly transfers: number;
  readonly transferMs: number;
  /** Milliseconds between two requests of each of wrk's connections. */
  readonly wrkPause: number;
}

export class Storm {
  readonly #stage: StormStage;
  readonly #plan: StormPlan;
  readonly #appliedInMs: number[] = [];
  readonly #callMs: number[] = [];
  #step = 0;

  constructor(stage: StormStage, plan: StormPlan) {
    this.#stage = stage;
    this.#plan = plan;
  }

  async run(): Promise<StormOutcome> {
    const { seconds, webSockets, transfers, transferMs } = this.#plan;
    const stage = this.#stage;
    const talkers: Talker[] = [];
    for (let i = 0; i < webSockets; i++) {
      talkers.push(await Talker.open(`ws://127.0.0.1:${stage.port}/${i % 2 === 0 ? 'shop' : 'side'}`));
    }
    const carriers = new Transfers(stage.port, transferMs);
    for (let i = 0; i < transfers; i++) carriers.begin(i % 2 === 0 ? '/shop' : '/side');
    // Pools are filled before connections are counted.
    await stage.requests(500);
    const before = { generation: await this.#generation(), reloads: await this.#reloads() };
    const { accepted: acceptedBefore } = await stage.counts();

    const load = runWrk({ port: stage.port, seconds, pauseMs: this.#plan.wrkPause });
    const memory = this.#watchMemory(load);
    const [wrk, weights, reloads] = await Promise.all([
      load,
      drumbeat(this.#plan.weightsEvery, load, (nth) => this.#weigh(nth)),
      drumbeat(this.#plan.reloadEvery, load, (nth) => this.#reload(nth)),
    ]);
    // What was written last is running once this has been through.
    await this.#reloadByCall();
    const { accepted: acceptedAfter } = await stage.counts();
    const transferred = await carriers.leave();
    await Promise.all(talkers.map((talker) => talker.nextEcho()));
    const webSocketFaults = talkers.flatMap(({ fault }) => (fault === null ? [] : [fault]));
    for (const talker of talkers) talker.leave();
    const client = await stage.finish();

    const after = await this.#reloads();
    const did = (result: keyof typeof after): number => after[result] - before.reloads[result];
    const answered = weights.made - weights.faults.length;
    const added = (name: UpstreamName): number => (acceptedAfter[name] ?? 0) - (acceptedBefore[name] ?? 0);
    return {
      client,
      wrk,
      webSockets: {
        opened: talkers.length,
        echoes: talkers.reduce((sum, { echoes }) => sum + echoes, 0),
        faults: webSocketFaults,
      },
      transfers: transferred,
      weights: { ...weights, appliedInMs: this.#appliedInMs, callMs: this.#callMs },
      reloads: { ...reloads, applied: did('applied'), unchanged: did('unchanged'), rejected: did('rejected') },
      generation: {
        found: await this.#generation(),
        expected: before.generation + answered + did('applied'),
      },
      lastFile: await this.#lastFile(),
      newConnections: Object.fromEntries(LASTING_UPSTREAMS.map((name) => [name, added(name)])),
      memory: await memory,
    };
  }

  async #weigh(nth: number): Promise<string | null> {
    const v2 = (nth * 13) % 101;
    const began = performance.now();
    const { status, body, text } = await this.#stage.admin.setWeights('shop', { v1: 100 - v2, v2 });
    if (status !== 200) return `weights: ${status} ${text}`;
    this.#callMs.push(performance.now() - began);
    this.#appliedInMs.push(body.appliedInMs);
    return body.workers === 2 && body.weights.v2 === v2 ? null : `weights: ${text}`;
  }

  async #reload(nth: number): Promise<string | null> {
    this.#stage.write(this.#stage.configAt(++this.#step));
    if (nth % 3 === 1) return this.#reloadByCall();
    if (nth % 3 === 2) this.#stage.signal('SIGHUP');
    return null;
  }

  async #reloadByCall(): Promise<string | null> {
    const { status, text } = await this.#stage.admin.call<ReloadResult>('POST', '/api/v1/config/reload');
    return status === 200 ? null : `reload: ${status} ${text}`;
  }

  async #generation(): Promise<number> {
    return (await this.#stage.admin.status()).generation;
  }

  async #reloads(): Promise<Record<'applied' | 'unchanged' | 'rejected', number>> {
    const { admin } = this.#stage;
    const count = (result: string): Promise<number> => admin.metric(`${RELOADS}{result="${result}"}`);
    return {
      applied: await count('applied'),
      unchanged: await count('unchanged'),
      rejected: await count('rejected'),
    };
  }

  async #lastFile(): Promise<{ written: number; running: number }> {
    const { body } = await this.#stage.admin.weights('side');
    const written = JSON.parse(this.#stage.configAt(this.#step)).services.side.split.weights as Weights;
    return { written: written.v2 ?? -1, running: body.weights.v2 ?? -2 };
  }

  async #watchMemory(until: Promise<unknown>): Promise<number[]> {
    const found: number[] = [];
    let going = true;
    void until.then(() => {
      going = false;
    });
    while (going) {
      found.push(Math.round((await this.#stage.admin.metric('process_resident_memory_bytes')) / 2 ** 20));
      await Promise.race([until, pause((this.#plan.seconds * 1_000) / LOOKS)]);
    }
    return found;
  }
}

/**
 * What the tests share that kill Sluice in each phase: one Sluice in one folder with v1 stable and v2, users who never stop, and the way of
 * killing it, reading what is left, and starting it again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Rollout } from '../../src/control/rollout/rollout.ts';
import type { RolloutReport } from '../../src/control/rollout/view.ts';
import { newSite, type Running, type Site, startControl } from './control-process.ts';
import { contradictions, type Left, whatIsLeft } from './rollout-left.ts';
import {
  again,
  auditRows,
  phaseOf,
  rolloutConfig,
  type SwitchableVersion,
  say,
  switchableVersion,
  trafficOf,
  Users,
  until,
} from './rollout-site.ts';

const FILE = { lanes: { stable: 'v1' }, weights: { v1: 100 } };
/** A busy machine makes requests slow at random; whether slow ones are found is not the question here. */
export const EVIDENCE = { latency: 'off' };
export const DONE = 'stable v1 100';

export const stepsOf = (...steps: readonly object[]): object => ({ steps, evidence: EVIDENCE });

export class KillStage {
  readonly site: Site;
  readonly v1: SwitchableVersion;
  readonly v2: SwitchableVersion;
  readonly users: Users;
  running: Running;
  readonly #t: Test;

  private constructor(t: Test, site: Site, v1: SwitchableVersion, v2: SwitchableVersion, running: Running) {
    this.#t = t;
    this.site = site;
    this.v1 = v1;
    this.v2 = v2;
    this.running = running;
    this.users = new Users(t, site);
  }

  static async begin(t: Test): Promise<KillStage> {
    const site = await newSite(t);
    const v1 = await switchableVersion(t, 'v1');
    const v2 = await switchableVersion(t, 'v2');
    const health = {
      path: '/health',
      interval: '2s',
      unhealthyInterval: '2s',
      timeout: '1s',
      healthy: 1,
      unhealthy: 3,
    };
    return new KillStage(
      t,
      site,
      v1,
      v2,
      await startControl(t, site, rolloutConfig(site, [v1, v2], {}, {}, { health })),
    );
  }

  /** Kills it, and starts it again after `down` milliseconds. @returns what was on the disk in between. */
  async killed(t: Test, down = 0): Promise<Left> {
    await this.running.kill();
    const left = whatIsLeft(this.site, FILE);
    t.strictSame(contradictions(left), [], 'every state on the disk has its traffic');
    await pause(down);
    this.running = await again(this.#t, this.site);
    return left;
  }

  /** Ends it, and looks at what every one of them has to show. */
  async back(t: Test, id: string): Promise<void> {
    await say(this.running, id, 'abort', { reason: 'seen enough' });
    const end = await until(this.running, id, 'is back', phaseOf('RolledBack'));
    t.match(end.rollback?.verified, { ok: true, differences: [] }, 'everything is as before');
    await this.#asBefore(t);
  }

  /** The same of one that has succeeded. */
  async undone(t: Test, id: string): Promise<void> {
    await say(this.running, id, 'rollback', { reason: 'back to the old one' });
    await until(this.running, id, 'is back', phaseOf('RolledBack'));
    await this.#asBefore(t);
  }

  async #asBefore(t: Test): Promise<void> {
    t.equal(await trafficOf(this.running), DONE);
    t.strictSame(Object.keys(await this.users.answersOfNext(50)), ['v1']);
  }

  async report(id: string): Promise<RolloutReport> {
    return (await this.running.calls.call<RolloutReport>('GET', `/api/v1/rollouts/${id}/report`)).body;
  }

  /** The report says that it was started again. */
  async saysRestart(t: Test, id: string): Promise<void> {
    const { text } = await this.running.calls.call('GET', `/api/v1/rollouts/${id}/report?format=md`);
    t.match(text, /restart/, 'the report says that Sluice was started again');
  }

  /** After everything. */
  async isWhole(t: Test): Promise<void> {
    t.strictSame(this.users.faults, {}, 'nobody got an error');
    t.match((await this.running.calls.call('GET', '/api/v1/audit/verify')).body, { ok: true });
    t.ok((await auditRows(this.running)).some(({ action }) => action === 'rollout.advance'));
  }
}

export const keptOf = ({ rollouts }: Left, id: string): Rollout => rollouts.find((each) => each.id === id)!;

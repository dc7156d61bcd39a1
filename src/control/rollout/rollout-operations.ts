/**
 * What operators do with rollouts: start, verbs, approvals, and what they are shown of them.
 *
 * Starting is one commit, which makes a rollout that is Queued; whether it begins at once is decided by the first look, like everything after.
 */
import type { SluiceConfig } from '../../model/config.ts';
import type { ChangeCore } from '../change/change-core.ts';
import { nameHint } from '../config/nearest-name.ts';
import type { Actor, ChangeOptions, GivenApproval, Operations, RolloutVerb, StartRollout } from '../operations.ts';
import { OperationError } from '../problems.ts';
import type { Store } from '../store/store.ts';
import { acceptApproval, approvalEvidence, START } from './approvals.ts';
import type { RolloutController } from './controller.ts';
import { reportOf } from './report.ts';
import { packView, type RollbackPack } from './rollback-pack.ts';
import { isOver, packKey, type Rollout } from './rollout.ts';
import { rollbackView, rolloutView, summaryWith, type ViewParts } from './rollout-view.ts';
import { newRollout, recordOf, riskFor, type StartContext } from './start.ts';
import { failed, takeBack } from './take-back.ts';
import { eventOf, noted, type Turn, told } from './turn.ts';
import { applyVerb } from './verbs.ts';
import type { RolloutReport, RolloutSummary, RolloutView, RolloutWhy } from './view.ts';
import { whyOf } from './why.ts';

type Call<Key extends keyof Operations> = Operations[Key];

/** Of one service, behind the one that runs: a pipeline gone wild must not take the places of all the others. */
const MOST_WAITING = 10;

export interface RolloutOperationsParts {
  readonly core: ChangeCore;
  readonly controller: RolloutController;
  readonly store: Store;
  readonly wallClock: () => number;
  readonly context: () => Omit<StartContext, 'config' | 'rollouts' | 'now'>;
  readonly views: () => ViewParts;
}

export class RolloutOperations {
  readonly #parts: RolloutOperationsParts;

  constructor(parts: RolloutOperationsParts) {
    this.#parts = parts;
  }

  start: Call<'startRollout'> = (actor, service, given, options) => this.#start(actor, service, given, options);

  async #start(
    actor: Actor,
    service: string,
    given: StartRollout,
    options: ChangeOptions,
    again: Rollout | null = null,
  ): Promise<RolloutView> {
    const { core, controller } = this.#parts;
    const begun: Rollout[] = [];
    await core.change(actor, options, (state) => {
      const context = this.#context(state.config);
      const same = again === null ? context : { ...context, inline: () => again.strategy };
      const rollout = newRollout(service, given, actor, options.reason ?? '', same, again?.id ?? null);
      this.#refuseBusy(rollout);
      begun.push(rollout);
      return {
        records: [recordOf(rollout)],
        ...{ scope: 'nothing', action: 'rollout.start', target: `rollouts/${rollout.id}`, before: null },
        after: { service, version: rollout.version, strategy: rollout.strategy.name, digest: rollout.digest },
        events: [
          eventOf(rollout, 'rollout.queued', 'info', `${rollout.version} of ${service} by ${rollout.strategy.name}`, {
            ...{ strategy: rollout.strategy.name, risk: rollout.risk.score, by: actor.name },
          }),
        ],
      };
    });
    const rollout = begun[0]!;
    const before = this.#open(service);
    // Known before anything is waited for: whoever starts another one meanwhile has to find it.
    controller.add(rollout);
    if (rollout.strategy.whenBusy === 'supersede') await this.#supersede(rollout, before, actor);
    await controller.look(rollout.id);
    return this.get(rollout.id);
  }

  #refuseBusy({ service, strategy }: Rollout): void {
    const { controller } = this.#parts;
    if (!controller.hasRoom()) {
      throw new OperationError('busy', 'as many rollouts as Sluice can compare at once are under way already');
    }
    const open = this.#open(service);
    if (open.length > MOST_WAITING) {
      const message = `${MOST_WAITING} rollouts of ${service} wait already, and nobody is served by more; abort one first`;
      throw new OperationError('conflict', message);
    }
    const other = open[0];
    if (other === undefined || strategy.whenBusy !== 'refuse') return;
    const message = `${other.id} of ${service} is ${other.phase}; end it, or start with whenBusy queue or supersede`;
    throw new OperationError('conflict', message);
  }

  #open = (service: string): Rollout[] =>
    this.#parts.controller.all().filter((each) => each.service === service && !isOver(each.phase));

  async #supersede(rollout: Rollout, others: readonly Rollout[], actor: Actor): Promise<void> {
    const reason = `superseded by ${rollout.id} (${rollout.version})`;
    for (const { id } of others) {
      const how = { actor, options: { reason }, action: 'rollout.supersede' };
      await this.#parts.controller
        .change(id, how, (each, seen, now): Turn => {
          const why = { cause: 'superseded', reason, by: actor.name } as const;
          if (isOver(each.phase) || each.phase === 'RollingBack') return { next: each, actions: [] };
          return each.phase === 'Queued' || each.phase === 'Preflight'
            ? failed(each, seen, now, why)
            : takeBack(each, seen, now, { ...why, mode: 'immediate' });
        })
        .catch((error: unknown) => {
          // It has ended meanwhile, or will end by itself; the new one waits for that.
          if (!(error instanceof OperationError)) throw error;
        });
    }
  }

  risk: Call<'rolloutRisk'> = (service, given) => riskFor(service, given, this.#context(this.#parts.core.state.config));

  list: Call<'rollouts'> = ({ service, phase }): readonly RolloutSummary[] =>
    this.#parts.controller
      .all()
      .filter(
        (each) => (service === undefined || each.service === service) && (phase === undefined || each.phase === phase),
      )
      .toReversed()
      .map((each) => summaryWith(each, this.#parts.controller.running(each.id)));

  get: Call<'rollout'> = (id) => rolloutView(this.#find(id), this.#parts.controller, this.#parts.views());

  /** Id of the rollout that has the service's traffic in hand; null where none has. */
  rolloutOf = (service: string): string | null => this.#parts.controller.holderOf(service)?.id ?? null;

  report: Call<'rolloutReport'> = (id): RolloutReport => {
    const rollout = this.#find(id);
    return reportOf(rollout, rollbackView(rollout, this.#parts.controller.running(id)), this.#parts.wallClock());
  };

  why: Call<'rolloutWhy'> = (id): RolloutWhy => {
    const { store, wallClock } = this.#parts;
    return whyOf(this.#find(id), this.get(id), {
      now: wallClock(),
      unwritten: store.state().trouble?.message ?? null,
    });
  };

  async change(
    actor: Actor,
    id: string,
    verb: RolloutVerb,
    options: ChangeOptions & { readonly full?: boolean; readonly mode?: 'immediate' | 'gradual' },
  ): Promise<RolloutView> {
    const rollout = this.#find(id);
    if (verb === 'retry') return this.#retry(actor, rollout, options);
    const { full = false, mode = 'immediate', reason = '' } = options;
    const how = { actor, options, action: `rollout.${verb}` };
    const by = { name: actor.name, role: actor.role };
    await this.#parts.controller.change(id, how, (each, seen, now) => {
      if (each.phase === 'Succeeded' && verb === 'rollback') this.#refuseUndoUnder(each);
      return applyVerb(each, verb, seen, now, { by, reason, full, mode });
    });
    this.#refuseUnkept(id);
    return this.get(id);
  }

  /** @throws OperationError where the way back is done, and not kept as long as the state cannot be written. */
  #refuseUnkept(id: string): void {
    const unkept = this.#parts.controller.running(id)?.unkept ?? null;
    if (unkept !== null && this.#parts.store.state().trouble !== null) throw unkept;
  }

  /** Two rollouts would pull at the same traffic. */
  #refuseUndoUnder({ id, service }: Rollout): void {
    const other = this.#open(service).find(({ phase }) => phase !== 'Queued');
    if (other === undefined) return;
    const message = `${other.id} of ${service} is ${other.phase}; end it first, then ${id} can be undone`;
    throw new OperationError('conflict', message);
  }

  #retry(actor: Actor, rollout: Rollout, options: ChangeOptions): Promise<RolloutView> {
    const { id, phase, service, version } = rollout;
    if (phase !== 'RolledBack' && phase !== 'Failed') {
      throw new OperationError(
        'conflict',
        `${id} is ${phase}; only one that was taken back or has failed can be tried again`,
      );
    }
    return this.#start(actor, service, { version, strategy: {} }, options, rollout);
  }

  async approve(actor: Actor, id: string, given: GivenApproval, options: ChangeOptions): Promise<RolloutView> {
    const { controller, core } = this.#parts;
    this.#find(id);
    const { approvers } = core.state.config.rollouts;
    const open = core.state.config.admin?.tokens.length === 0;
    const how = { actor, options, action: 'rollout.approve' };
    await controller.change(id, how, (rollout, _seen, now) => {
      const step = rollout.phase === 'Queued' ? START : rollout.step;
      const approval = acceptApproval({ rollout, approvers, given, actor, now, step, open });
      const evidence = approvalEvidence(rollout.id, approval, approvers);
      const message = `approved by ${approval.approver} (${approval.role}${approval.signature === null ? '' : ', signature verified'})`;
      const next = {
        ...noted(rollout, { at: now, kind: 'approval', message }),
        approvals: [...rollout.approvals, approval],
      };
      return told(next, now, 'rollout.approved', 'info', message, { ...evidence });
    });
    await controller.look(id);
    return this.get(id);
  }

  pack: Call<'rollbackPack'> = async (id) => {
    const { pack } = this.#find(id);
    const kept = pack === null ? null : await this.#parts.store.get(packKey(pack));
    if (kept === null)
      throw new OperationError('not_found', `${id} has no rollback pack; it is made when a rollout begins`);
    return packView(kept.value as RollbackPack);
  };

  /** Ends the rollout that has the service's traffic in hand. @returns what that comes to, one sentence; null where none has. */
  async rollBackService(
    actor: Actor,
    service: string,
    mode: 'immediate' | 'gradual',
    options: ChangeOptions,
  ): Promise<string | null> {
    const { controller } = this.#parts;
    const holder = controller.holderOf(service);
    if (holder === null) return null;
    const { id, version } = holder;
    const progress = `sluice rollout get ${id} shows how far it is.`;
    // It is on its way back already, and no slower than is asked for.
    if (holder.phase === 'RollingBack' && (mode === 'gradual' || holder.weight === 0)) {
      this.#refuseUnkept(id);
      return `${id} takes ${version} back already; ${progress}`;
    }
    const { phase } = await this.change(actor, id, 'rollback', { ...options, mode });
    return phase === 'Failed'
      ? `${id} has ended before any user got ${version}.`
      : `${id} takes ${version} back; ${progress}`;
  }

  /**
   * What to tell whoever takes traffic back to a stable version that has all of it: behind a rollout that has succeeded the bad version is the
   * stable one, and only undoing the rollout helps. Null where there is something to take back.
   */
  nothingToTakeBack(service: string): string | null {
    const found = this.#parts.core.state.config.services.find(({ name }) => name === service);
    if (found === undefined || found.weights[found.lanes.stable] !== 100) return null;
    const { stable } = found.lanes;
    const last = this.#parts.controller
      .all()
      .findLast((each) => each.service === service && each.phase === 'Succeeded' && each.version === stable);
    const isUndoable = last !== undefined && Object.hasOwn(found.weights, last.stable);
    const undo = isUndoable
      ? ` ${last.id} made it so; to go back to ${last.stable}: sluice rollout rollback ${last.id} --reason TEXT`
      : '';
    return `Nothing was changed: ${stable} is stable and has all traffic already.${undo}`;
  }

  /**
   * A sentence for whoever wants to change what a rollout has in hand; null where none has.
   *
   * @param version that alone is to be changed: it is in hand where a rollout is about it, one that still waits included, because what was
   * approved is what begins; other versions of the service may come and go.
   */
  holderOf(service: string, version?: string): string | null {
    const holder =
      version === undefined
        ? this.#parts.controller.holderOf(service)
        : (this.#open(service).find((each) => each.version === version || each.stable === version) ?? null);
    if (holder === null) return null;
    return `${holder.id} has the traffic of ${service} in hand (${holder.phase}); promote, abort or roll it back: sluice rollout get ${holder.id}`;
  }

  #context(config: SluiceConfig): StartContext {
    return { ...this.#parts.context(), config, rollouts: this.#parts.controller.all(), now: this.#parts.wallClock() };
  }

  #find(id: string): Rollout {
    const { controller } = this.#parts;
    const rollout = controller.running(id)?.rollout ?? controller.get(id);
    if (rollout !== null) return rollout;
    const ids = controller.all().map((each) => each.id);
    const hint = ids.length === 0 ? 'there has been none yet' : nameHint(id, ids);
    throw new OperationError('not_found', `there is no rollout ${id}; ${hint}`);
  }
}

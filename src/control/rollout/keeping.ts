/**
 * From a turn of a rollout to one change of the control plane: the state, the traffic that follows from it, what is told, and the audit row.
 *
 * All of it is one commit. So there is never a state without its traffic or the other way round, and a crash before it has changed nothing. A turn
 * that only counts on (soak time, a sentence about what is waited for) is no change: it is written every two seconds with the counts.
 */
import { isDeepStrictEqual } from 'node:util';
import { flagShare } from '../../model/admin-config.ts';
import type { ServiceConfig, SluiceConfig } from '../../model/config.ts';
import type { Draft, RunningState } from '../change/change-core.ts';
import type { NewEvent } from '../events/event.ts';
import type { FlagView } from '../operations.ts';
import { flagKey, flagOverrides, lanesKey, rollbackKey, rollbackOf, weightsKey } from '../state/overrides.ts';
import type { Action, Traffic } from './observation.ts';
import { type PackState, packOf, type RollbackPack, restorationOf, verificationOf } from './rollback-pack.ts';
import { packKey, type Rollout, rolloutKey, type Tasks } from './rollout.ts';
import { sameTraffic, trafficOf } from './traffic.ts';
import type { Turn } from './turn.ts';

/** Whether a turn has to be kept before it is done. */
export function isNotable(before: Rollout, next: Rollout, actions: readonly Action[], config: SluiceConfig): boolean {
  if (actions.some(({ do: what }) => what === 'tell')) return true;
  const changes = ['phase', 'step', 'weight', 'pause', 'approvals', 'decision', 'forgiven'] as const;
  if (changes.some((field) => before[field] !== next[field]) || areOthers(before.tasks, next.tasks)) return true;
  const service = serviceOf(config, next);
  const traffic = service === undefined ? null : trafficOf(next, service);
  return traffic !== null && !sameTraffic(service!, traffic);
}

/** A gate that has not decided is asked again and again, after a restart too: that is no step of the rollout. */
function areOthers(before: Tasks, next: Tasks): boolean {
  if (before === next) return false;
  const isOpen = (id: string, task: Tasks[string] | undefined): boolean =>
    id.startsWith('gate:') && (task === undefined || task.result === null || task.result.again === true);
  return [...Object.keys(before), ...Object.keys(next)].some(
    (id) => before[id] !== next[id] && !(isOpen(id, before[id]) && isOpen(id, next[id])),
  );
}

export interface KeepRequest {
  readonly state: RunningState;
  readonly before: Rollout;
  readonly next: Rollout;
  readonly turn: Turn;
  /** The rollback pack, where it is to be verified. */
  readonly pack: unknown;
  /** Of the audit row. */
  readonly action: string;
  readonly now: number;
}

export function draftOf({ state, before, next, turn, pack, action, now }: KeepRequest): {
  readonly draft: Draft;
  readonly rollout: Rollout;
} {
  const service = serviceOf(state.config, next);
  const begun = service === undefined ? { rollout: next, records: [] } : withPack(next, state, service, now);
  const restored = service === undefined ? null : restore(begun.rollout, state, service, pack);
  const rollout = restored?.rollout ?? begun.rollout;
  const traffic = service === undefined ? null : trafficOf(rollout, service);
  const change =
    service === undefined || traffic === null ? NO_CHANGE : trafficChange(rollout, state, service, traffic);
  const flags = restored ?? NO_CHANGE;
  const draft: Draft = {
    puts: [...change.puts, ...flags.puts],
    deletes: [...change.deletes, ...flags.deletes],
    records: [...begun.records, { key: rolloutKey(rollout.id), value: rollout }],
    scope:
      change.lanes || flags.lanes
        ? 'snapshot'
        : change.puts.length + change.deletes.length > 0
          ? { weights: rollout.service }
          : 'nothing',
    action,
    target: `rollouts/${rollout.id}`,
    before: audited(before),
    after: { ...audited(rollout, begun.checksum), ...proofOf(turn.actions) },
    events: [
      ...turn.actions.flatMap((each) => (each.do === 'tell' ? [each.event] : [])),
      ...change.events,
      ...flags.events,
    ],
    urgent: rollout.phase === 'RollingBack',
  };
  return { draft, rollout };
}

interface Change {
  readonly puts: readonly { readonly key: string; readonly value: unknown }[];
  readonly deletes: readonly string[];
  readonly events: readonly NewEvent[];
  /** Whether more than weights changes. */
  readonly lanes: boolean;
}

const NO_CHANGE: Change = { puts: [], deletes: [], events: [], lanes: false };

const serviceOf = (config: SluiceConfig, { service }: Rollout): ServiceConfig | undefined =>
  config.services.find(({ name }) => name === service);

const audited = ({ phase, step, weight, decision, pack }: Rollout, checksum?: string) => ({
  ...{ phase, step, weight },
  ...(pack === null || checksum === undefined ? {} : { pack, checksum }),
  ...(decision === null ? {} : { cause: decision.cause, reason: decision.reason }),
});

/** What somebody needs to verify an approval by the audit alone. */
function proofOf(actions: readonly Action[]): Readonly<Record<string, unknown>> {
  const approved = actions.find((each) => each.do === 'tell' && each.event.type === 'rollout.approved');
  if (approved?.do !== 'tell') return {};
  const { rollout: _rollout, ...approval } = approved.event.data ?? {};
  return { approval };
}

/** Before anything of the service is touched, what it is like is packed. */
function withPack(
  rollout: Rollout,
  state: RunningState,
  service: ServiceConfig,
  now: number,
): { readonly rollout: Rollout; readonly records: Draft['records'] & {}; readonly checksum?: string } {
  if (rollout.before !== null || rollout.phase === 'Queued' || rollout.startedAt === null)
    return { rollout, records: [] };
  const pack = packOf({ ...packState(state, service), rollout: rollout.id, entries: state.entries, now });
  const { lanes, weights } = service;
  return {
    rollout: { ...rollout, before: { lanes, weights }, pack: pack.id },
    records: [{ key: packKey(pack.id), value: pack }],
    checksum: pack.checksum,
  };
}

const packState = (state: RunningState, service: ServiceConfig): PackState => ({
  service,
  config: state.file,
  flags: flagsOf(state),
});

function flagsOf({ file, entries }: RunningState): Pick<FlagView, 'name' | 'value' | 'override'>[] {
  const overrides = flagOverrides(entries);
  return file.flags.map((flag) => {
    const override = overrides.get(flag.name) ?? null;
    return { name: flag.name, value: override ?? flagShare(flag, file.environment), override };
  });
}

/** Behind a rollback: flags are set back, and everything is compared with the pack. */
function restore(
  rollout: Rollout,
  state: RunningState,
  service: ServiceConfig,
  kept: unknown,
): (Change & { readonly rollout: Rollout }) | null {
  if (rollout.phase !== 'RolledBack' || rollout.rollback === null || kept === null) return null;
  const pack = kept as RollbackPack;
  const present = packState(state, service);
  const { flags } = restorationOf(pack, present, rollout.version);
  const back = new Map(flags.map(({ name, value }) => [name, value]));
  const after = present.flags.map((flag) => {
    if (!back.has(flag.name)) return flag;
    const override = back.get(flag.name)!;
    const file = state.file.flags.find(({ name }) => name === flag.name)!;
    return { ...flag, override, value: override ?? flagShare(file, state.file.environment) };
  });
  const verified = verificationOf(pack, { ...present, flags: after }, rollout.version);
  return {
    puts: flags.flatMap(({ name, value }) => (value === null ? [] : [{ key: flagKey(name), value }])),
    deletes: flags.flatMap(({ name, value }) => (value === null ? [flagKey(name)] : [])),
    events: flags.map(({ name, value }) => ({
      ...{ type: 'flag.changed', level: 'info', service: rollout.service },
      message: `${name} is set back by the rollback of ${rollout.id}`,
      data: { flag: name, value },
    })),
    lanes: flags.length > 0,
    rollout: { ...rollout, rollback: { ...rollout.rollback, verified } },
  };
}

function trafficChange(
  rollout: Rollout,
  state: RunningState,
  service: ServiceConfig,
  { lanes, weights }: Traffic,
): Change {
  if (sameTraffic(service, { lanes, weights })) return NO_CHANGE;
  const { name } = service;
  const file = state.file.services.find((each) => each.name === name);
  const otherLanes = !sameTraffic({ lanes, weights: service.weights }, service);
  const otherWeights = !sameTraffic({ lanes: service.lanes, weights }, service);
  const written = [
    { key: lanesKey(name), value: lanes, file: file?.lanes },
    { key: weightsKey(name), value: weights, file: file?.weights },
  ];
  const kept = written.filter(({ value, file: said }) => !isDeepStrictEqual(value, said));
  const same = written.filter((each) => !kept.includes(each)).map(({ key }) => key);
  return {
    puts: kept.map(({ key, value }) => ({ key, value })),
    deletes: [...same, ...(rollbackOf(state.entries, name) === null ? [] : [rollbackKey(name)])],
    events: [
      ...(otherWeights ? [trafficEvent('weights.changed', rollout, service.weights, weights)] : []),
      ...(otherLanes ? [trafficEvent('lanes.changed', rollout, service.lanes, lanes)] : []),
    ],
    lanes: otherLanes,
  };
}

function trafficEvent(
  type: 'weights.changed' | 'lanes.changed',
  { id, service }: Rollout,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): NewEvent {
  const unit = type === 'weights.changed' ? ' %' : '';
  const listed = Object.entries(after).map(([name, value]) => `${name} ${value}${unit}`);
  return {
    ...{ type, level: 'info', service },
    message: `${service}: ${listed.join(', ')}`,
    data: { before, after, rollout: id },
  };
}

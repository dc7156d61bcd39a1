/** Changing feature flags: a share of the users, kept over restarts until it is reset to what the file says. */
import { type FlagConfig, flagShare } from '../../model/admin-config.ts';
import { nameHint } from '../config/nearest-name.ts';
import { isHundredths } from '../config/units.ts';
import type { Actor, Applied, ChangeOptions, FlagView } from '../operations.ts';
import { OperationError } from '../problems.ts';
import { flagKey, flagOverrides } from '../state/overrides.ts';
import type { ChangeCore, Draft, RunningState } from './change-core.ts';

export class FlagOperations {
  readonly #core: ChangeCore;

  constructor(core: ChangeCore) {
    this.#core = core;
  }

  list(): readonly FlagView[] {
    const { state } = this.#core;
    return state.file.flags.map((flag) => viewOf(flag, state));
  }

  /** @param value percent, steps of 0.01. */
  set(
    actor: Actor,
    name: string,
    value: number,
    options: ChangeOptions,
  ): Promise<Applied & { readonly flag: FlagView }> {
    return this.#change(actor, name, options, (flag, state) => {
      checkValue(flag, value);
      return draftOf(flag, state, value, 'flag.set', options.reason);
    });
  }

  reset(actor: Actor, name: string, options: ChangeOptions): Promise<Applied & { readonly flag: FlagView }> {
    return this.#change(actor, name, options, (flag, state) =>
      draftOf(flag, state, null, 'flag.reset', options.reason),
    );
  }

  async #change(
    actor: Actor,
    name: string,
    options: ChangeOptions,
    make: (flag: FlagConfig, state: RunningState) => Draft,
  ): Promise<Applied & { readonly flag: FlagView }> {
    const applied = await this.#core.change(actor, options, (state) => make(findFlag(state, name), state));
    const { state } = this.#core;
    return { ...applied, flag: viewOf(findFlag(state, name), state) };
  }
}

function findFlag(state: RunningState, name: string): FlagConfig {
  const flag = state.file.flags.find((each) => each.name === name);
  if (flag !== undefined) return flag;
  const names = state.file.flags.map((each) => each.name);
  const hint = names.length === 0 ? 'the configuration has no flags' : nameHint(name, names);
  throw new OperationError('not_found', `there is no flag ${name}; ${hint}`);
}

function checkValue(flag: FlagConfig, value: number): void {
  const message = !(value >= 0 && value <= 100)
    ? `the value must be true, false or a percentage from 0 to 100, not ${value}`
    : !isHundredths(value)
      ? `the value has steps of 0.01, not ${value}`
      : value > 0 && value < 100 && flag.key === undefined
        ? `${flag.name} has no key to tell users apart by; give it one in the configuration, such as key: {header: X-User-Id}, or set it on or off`
        : null;
  if (message !== null) throw new OperationError('invalid_request', message, [{ field: '/value', message }]);
}

function viewOf(flag: FlagConfig, { file, entries }: RunningState): FlagView {
  const override = flagOverrides(entries).get(flag.name) ?? null;
  const { key } = flag;
  return {
    name: flag.name,
    value: override ?? flagShare(flag, file.environment),
    default: flag.default,
    environments: flag.environments,
    override,
    key: key === undefined ? null : key.from === 'address' ? 'address' : `${key.from} ${key.name}`,
    header: flag.header ?? null,
  };
}

function draftOf(flag: FlagConfig, state: RunningState, value: number | null, action: string, reason?: string): Draft {
  const before = viewOf(flag, state).value;
  const after = value ?? flagShare(flag, state.file.environment);
  const key = flagKey(flag.name);
  return {
    ...(value === null ? { deletes: [key] } : { puts: [{ key, value }] }),
    scope: 'snapshot',
    action,
    target: `flags/${flag.name}`,
    before,
    after,
    events: [
      {
        ...{ type: 'flag.changed', level: 'info' },
        message: `Flag ${flag.name} is ${after === 0 ? 'off' : after === 100 ? 'on' : `on for ${after} %`}`,
        data: { flag: flag.name, before, after, ...(reason === undefined ? {} : { reason }) },
      },
    ],
  };
}

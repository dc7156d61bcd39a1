/**
 * What is told or run beside the steps: a webhook or a program, of which nothing is run by a shell.
 *
 * A failed hook of a rollback or a success can only be ignored: the version is being taken back already, or has become stable, and what failed is
 * somebody's script.
 */
import type { HookConfig, HookPoint } from '../../model/rollout-config.ts';
import { parseWebhookUrl } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import type { RawHook, RawStrategy } from './raw-rollouts.ts';
import { resolveSettings } from './resolve-settings.ts';
import { HOOK } from './rollout-settings.ts';
import type { StrategyScope } from './strategy-scope.ts';

type Hooks = { readonly [Point in HookPoint]: readonly HookConfig[] };

const DEFAULTS: Readonly<Record<HookPoint, HookConfig['onFailure']>> = {
  start: 'rollback',
  step: 'rollback',
  rollback: 'ignore',
  success: 'ignore',
};

const TOO_LATE: Readonly<Partial<Record<HookPoint, string>>> = {
  rollback: 'the version is being taken back already',
  success: 'the version is stable by then',
};

export function resolveHooks(raw: RawStrategy['hooks'], path: ConfigPath, scope: StrategyScope): Hooks {
  const of = (point: HookPoint): HookConfig[] => resolvePoint(point, raw?.[point] ?? [], [...path, point], scope);
  return { start: of('start'), step: of('step'), rollback: of('rollback'), success: of('success') };
}

function resolvePoint(point: HookPoint, raw: readonly RawHook[], path: ConfigPath, scope: StrategyScope): HookConfig[] {
  const { review } = scope;
  if (!Array.isArray(raw)) return [];
  const seen = new Set<string>();
  return raw.flatMap((hook: RawHook, index) => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    if (seen.has(hook.name)) {
      review.report([...place, 'name'], `${hook.name} is there twice; give each hook its own name`);
    }
    seen.add(hook.name);
    const late = hook.onFailure === 'rollback' ? TOO_LATE[point] : undefined;
    if (late !== undefined) review.report([...place, 'onFailure'], `${late}; write ignore, or remove it`);
    const run = resolveRun(hook, place, scope);
    if (run === null) return [];
    const onFailure = hook.onFailure ?? DEFAULTS[point];
    return { name: hook.name, run, ...resolveSettings(HOOK, hook, place, review), onFailure };
  });
}

function resolveRun(raw: RawHook, path: ConfigPath, scope: StrategyScope): HookConfig['run'] | null {
  const { review } = scope;
  const { webhook, command } = raw;
  if ((webhook === undefined) === (command === undefined)) {
    review.report(path, `must have exactly one of webhook and command, not ${webhook === undefined ? 'none' : 'both'}`);
    return null;
  }
  if (raw.env !== undefined && command === undefined) {
    review.reportKey([...path, 'env'], 'a webhook has no environment; remove it');
  }
  if (command !== undefined) {
    scope.checkCommand([...path, 'command']);
    checkCommand(command, [...path, 'command'], scope);
    return { kind: 'command', command, env: raw.env ?? {} };
  }
  const url = parseWebhookUrl(webhook!.url);
  if ('fault' in url) review.report([...path, 'webhook', 'url'], url.fault);
  const secret = webhook!.secret === undefined ? null : scope.secret(webhook!.secret, [...path, 'webhook', 'secret']);
  return { kind: 'webhook', url: 'ok' in url ? url.ok : '', secret };
}

function checkCommand(command: readonly string[], path: ConfigPath, { review }: StrategyScope): void {
  if (command[0] === '') review.report([...path, 0], 'is empty; name the program');
  else if (command.length === 1 && /\s/.test(command[0] ?? '')) {
    review.report([...path, 0], 'there is no shell that would take it apart; write each word as an entry of its own');
  }
  for (const [index, word] of command.entries()) {
    if (word.includes('\0')) review.report([...path, index], 'must not have a NUL character in it');
  }
}

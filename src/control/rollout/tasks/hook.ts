/**
 * A hook: somebody is told of a point of the rollout, by webhook or by a command, and may object.
 *
 * A webhook passes with any 2xx; a command with exit code 0. Nothing is tried again: a command may have done half of its work, and a hook that is to
 * be safe to repeat can repeat by itself. The delivery's id is the same if the hook has to run again after a crash.
 *
 * A command gets what it must know as environment variables and nothing of Sluice's own environment besides PATH, HOME and LANG, where tokens and
 * secrets are. `hook.env` may replace those three and add others, but what says which rollout this is cannot be replaced.
 */
import type { HookConfig, HookPoint } from '../../../model/rollout-config.ts';
import { runCommand } from './command.ts';
import { newAgent } from './exchange.ts';
import { deliveryId, messageIn, sentenceOf, signedPost, standing } from './signed-post.ts';
import type { Finding, Task, TaskRun } from './task.ts';

const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin';
/** Characters of SLUICE_DATA; the system refuses to start a command whose environment is too large. */
const LONGEST_DATA = 16 * 1024;

export type HookTask = Extract<Task, { kind: 'hook' }>;

export function runHook(task: HookTask, run: TaskRun): Promise<Finding> {
  const { name, timeout, run: how } = task.hook;
  if (how.kind === 'webhook') return tell(name, how, timeout, task, run);
  const env = commandEnvironment(how.env, task, run);
  return runCommand(`the hook ${name}`, { command: how.command, env, timeout }, run);
}

async function tell(
  name: string,
  { url: address, secret }: Extract<HookConfig['run'], { kind: 'webhook' }>,
  timeout: number,
  { point, data }: HookTask,
  run: TaskRun,
): Promise<Finding> {
  const { rollout, phase } = run.target;
  const url = new URL(address);
  const content = { ...standing(run), phase, point, ...(data === undefined ? {} : { data }) };
  const agent = newAgent('new');
  try {
    const answer = await signedPost(agent, { url, secret, timeout, content, id: deliveryId(rollout, run.id) }, run);
    const { status, fault } = answer;
    const ok = fault === null && status !== null && status >= 200 && status < 300;
    return { ok, message: `the hook ${name} at ${sentenceOf(url, answer)}`, output: messageIn(answer) };
  } finally {
    await agent.destroy();
  }
}

/** All that a command gets to see. */
function commandEnvironment(
  own: Readonly<Record<string, string>>,
  { point, data }: { readonly point: HookPoint; readonly data?: Task['data'] },
  { target, env }: TaskRun,
): Record<string, string> {
  const text = data === undefined ? '' : JSON.stringify(data);
  return {
    PATH: env.PATH ?? USUAL_PATH,
    ...(env.HOME === undefined ? {} : { HOME: env.HOME }),
    ...(env.LANG === undefined ? {} : { LANG: env.LANG }),
    ...own,
    SLUICE_ROLLOUT: target.rollout,
    SLUICE_SERVICE: target.service,
    SLUICE_VERSION: target.version,
    SLUICE_STABLE: target.stable,
    SLUICE_STEP: target.step,
    SLUICE_WEIGHT: String(target.weight),
    SLUICE_PHASE: target.phase,
    SLUICE_POINT: point,
    ...(text === '' || text.length > LONGEST_DATA ? {} : { SLUICE_DATA: text }),
  };
}

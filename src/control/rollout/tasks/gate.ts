/**
 * A gate: somebody else is asked whether the rollout may go on.
 *
 *     2xx          yes
 *     202, 409     not yet: the same question comes again, how often and how long says whoever runs this
 *     no answer    asked again at once up to `retries` times, after 1 s, 2 s, 4 s … at most 10 s
 *     the rest     no
 *
 * 202 is HTTP's own word for "accepted, not done", 409 is what a lock that is held answers. Any other status is an answer and not asked again:
 * who meant "not yet" had two ways to say so. A gate that cannot be reached fails: it closes.
 *
 * Each question is a delivery of its own, its tries are one; the pauses have no dice in them, as one rollout asks one gate.
 */
import type { StepConfig } from '../../../model/rollout-config.ts';
import { type Answer, newAgent } from './exchange.ts';
import { deliveryId, messageIn, sentenceOf, signedPost, standing } from './signed-post.ts';
import type { Finding, TaskRun } from './task.ts';
import { TimeLimit } from './time-limit.ts';

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 10_000;
const NOT_YET: readonly (number | null)[] = [202, 409];

export type GateStep = Extract<StepConfig, { kind: 'webhook' }>;

export async function askGate(step: GateStep, run: TaskRun): Promise<Finding> {
  const url = new URL(step.url);
  const answer = await ask(url, step, run);
  const { status, fault } = answer;
  const message = `the gate at ${sentenceOf(url, answer)}`;
  const output = messageIn(answer);
  if (fault !== null) return { ok: false, message, output };
  if (NOT_YET.includes(status)) return { ok: false, again: true, message, output };
  return { ok: status !== null && status >= 200 && status < 300, message, output };
}

async function ask(url: URL, { secret, timeout, retries }: GateStep, run: TaskRun): Promise<Answer> {
  const agent = newAgent('new');
  const { rollout } = run.target;
  const post = { url, secret, timeout, content: standing(run), id: deliveryId(rollout, run.id, run.wallClock()) };
  try {
    for (let tried = 1; ; tried++) {
      const answer = await signedPost(agent, post, run);
      if (answer.fault === null || tried > retries || run.signal.aborted) return answer;
      await pause(Math.min(FIRST_PAUSE * 2 ** (tried - 1), LONGEST_PAUSE), run);
    }
  } finally {
    await agent.destroy();
  }
}

async function pause(ms: number, { clock, signal }: TaskRun): Promise<void> {
  const limit = new TimeLimit(clock, ms, signal);
  await limit.wait(ms);
  limit.end();
}

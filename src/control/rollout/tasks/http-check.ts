/**
 * A smoke test: one HTTP request and what its answer must be.
 *
 *     right  ⇔  a complete answer, in time ∧ status as expected ∧ body contains the text ∧ quick enough ∧ from the version that is meant
 *
 * Where the service has an override header, the request goes through Sluice itself, on the path that users' requests take: routes,
 * rewrites and header rules are tested with it. The price is that somebody else may answer: without a usable endpoint stable does, and without a
 * route Sluice itself. So who answered is checked where it can be: `x-sluice-version` names the version where the service exposes it; an
 * answer of Sluice's own carries an error in `Proxy-Status`; and the version must have an available endpoint before and after. Without an
 * override header every endpoint is asked directly.
 *
 * What is wrong is tried again after a second, as often as `retries` says; the last try counts. The latency is that of the whole answer.
 */
import type { HttpCheck } from '../../../model/rollout-config.ts';
import { type Answer, exchange, newAgent, type Question } from './exchange.ts';
import type { PreflightReport } from './preflight-report.ts';
import type { TaskContext, TaskTarget } from './task.ts';
import type { TimeLimit } from './time-limit.ts';

/** Before a further try, milliseconds. */
export const RETRY_PAUSE = 1_000;
/** Of the expected text in messages, characters. */
const QUOTED = 60;

/** @param endpoint asked directly; null: through the proxy. */
export async function smokeTest(
  check: HttpCheck,
  endpoint: string | null,
  target: TaskTarget,
  context: TaskContext,
  limit: TimeLimit,
  report: PreflightReport,
): Promise<void> {
  const question = questionOf(check, endpoint, target);
  const agent = newAgent('new');
  let answer: Answer;
  let fault: string | null;
  let tries = 0;
  for (;;) {
    tries++;
    const reachable = endpoint !== null || isReachable(target);
    answer = await exchange(agent, question, context, limit.signal);
    fault = faultOf(check, answer) ?? (endpoint === null ? strangerIn(answer, target, reachable) : null);
    if (fault === null || tries > check.retries) break;
    await limit.wait(RETRY_PAUSE);
    if (limit.over) break;
  }
  await agent.destroy();

  const took = Math.round(answer.took);
  const got = answer.status === null ? `no answer in ${took} ms` : `status ${answer.status} in ${took} ms`;
  const what = `smoke test ${check.name} ${check.method} ${check.path} at ${question.origin}: ${got}`;
  const often = tries > 1 ? `, tried ${tries} times` : '';
  report.add(fault === null, fault === null ? what + often : `${what}: ${fault}${often}`);
}

function questionOf(check: HttpCheck, endpoint: string | null, { proxy, version }: TaskTarget): Question {
  const headers: Record<string, string> = {
    'user-agent': 'sluice-preflight',
    accept: '*/*',
    'accept-encoding': 'identity',
  };
  if (endpoint === null && proxy !== null && proxy.host !== null) headers.host = proxy.host;
  for (const [name, value] of Object.entries(check.headers)) headers[name.toLowerCase()] = value;
  if (endpoint === null && proxy !== null) headers[proxy.header.toLowerCase()] = version;
  const origin = endpoint ?? new URL(proxy?.url ?? '').origin;
  const { path, method, body, timeout } = check;
  return { origin, path, method, headers, body, timeout };
}

function faultOf({ expect, method }: HttpCheck, { status, body, fault, took }: Answer): string | null {
  if (fault !== null) return fault;
  if (status === null || !expect.status.includes(status)) return `expected status ${expect.status.join(' or ')}`;
  if (expect.body !== null && method !== 'HEAD' && !body.includes(expect.body)) {
    return `the body does not contain ${JSON.stringify(expect.body.slice(0, QUOTED))}`;
  }
  return expect.latency > 0 && took > expect.latency ? `took longer than ${expect.latency} ms` : null;
}

const isReachable = ({ healthy }: TaskTarget): boolean => healthy().some(({ available }) => available);

/** Why the answer that came through the proxy is not the version's, or cannot be told to be. */
function strangerIn({ headers }: Answer, target: TaskTarget, reachable: boolean): string | null {
  const named = headers['x-sluice-version'];
  if (named === target.version) return null;
  if (named !== undefined) return `${named} answered, not ${target.version}`;
  const status = headers['proxy-status'] ?? '';
  if (/;\s*error=/.test(status)) return `Sluice answered itself (${status}), not ${target.version}`;
  if (reachable && isReachable(target)) return null;
  return `no endpoint of ${target.version} is available, so another version may have answered`;
}

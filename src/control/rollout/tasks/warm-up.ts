/**
 * Warm-up: requests to each endpoint before users come, so that the first of them meets no cold process.
 *
 *     warm where failures <= 10 % of the requests,  failure = no complete answer within 10 s, or a status of 500 and above
 *
 * Requests go to the endpoints directly: a balancer would spread them as it likes, and each process has to be warmed. Connections are kept, as users
 * will keep theirs. A few failures are forgiven because meeting them now is what a warm-up is for; a 404 is an answer of a warm process,
 * and whether it is the right one is for the smoke tests to say. An endpoint that cannot pass any more is asked no further.
 *
 * Limits: `concurrency` counts for each endpoint, and at most 8 endpoints are warmed at a time. No endpoints: nothing is warm, which is
 * a failure.
 */
import type { PreflightConfig } from '../../../model/rollout-config.ts';
import { atMost } from './at-most.ts';
import { exchange, newAgent } from './exchange.ts';
import type { PreflightReport } from './preflight-report.ts';
import type { TaskContext, TaskTarget } from './task.ts';

export const FORGIVEN = 0.1;
/** For one request, milliseconds. */
export const WARM_UP_TIMEOUT = 10_000;
const ENDPOINTS_AT_A_TIME = 8;

export type WarmUp = NonNullable<PreflightConfig['warmUp']>;

export async function warmUp(
  config: WarmUp,
  { endpoints, version }: TaskTarget,
  context: TaskContext,
  signal: AbortSignal,
  report: PreflightReport,
): Promise<void> {
  if (endpoints.length === 0) report.add(false, `warm-up: ${version} has no endpoints`);
  await atMost(ENDPOINTS_AT_A_TIME, endpoints, (url) => warmEndpoint(url, config, context, signal, report));
}

async function warmEndpoint(
  origin: string,
  { path, requests, concurrency }: WarmUp,
  context: TaskContext,
  signal: AbortSignal,
  report: PreflightReport,
): Promise<void> {
  const agent = newAgent('kept');
  const headers = { 'user-agent': 'sluice-warm-up', accept: '*/*' };
  const question = { origin, path, method: 'GET', headers, body: null, timeout: WARM_UP_TIMEOUT };
  const began = context.clock.now();
  const bearable = Math.floor(requests * FORGIVEN);
  let begun = 0;
  let failed = 0;
  let last = '';
  const ask = async (): Promise<void> => {
    if (failed > bearable || signal.aborted) return;
    begun++;
    const { status, fault } = await exchange(agent, question, context, signal);
    if (fault === null && status !== null && status < 500) return;
    failed++;
    last = fault ?? `status ${status}`;
  };
  await atMost(concurrency, Array(requests).keys(), ask);
  await agent.destroy();
  const took = Math.round(context.clock.now() - began);
  const text = `warm-up GET ${path} at ${origin}: ${begun} requests in ${took} ms`;
  if (failed === 0 && begun === requests) report.add(true, text);
  else if (failed <= bearable && begun === requests) report.add(true, `${text}, ${failed} failed, last ${last}`);
  else report.add(false, `${text}, ${failed} of ${requests} failed, last ${last === '' ? 'not asked' : last}`);
}

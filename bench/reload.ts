/**
 * The storm of test/peers/storm.test.ts for a minute: reloads every 100 ms and changes of weights every 10 ms, under wrk, a client that
 * counts every request, 100 WebSockets, downloads and uploads.
 *
 * Exit code 0 where nothing was lost, 1 otherwise, with what was. Latencies of the changes are printed and not judged: both kinds go through
 * one queue, and each waits for the disk.
 *
 *     node bench/reload.ts [--seconds 60] [--websockets 100]
 */
import { parseArgs } from 'node:util';
import { Storm } from '../test/peers/storm.ts';
import { losses } from '../test/peers/storm-outcome.ts';
import { StormStage } from '../test/peers/storm-stage.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    websockets: { type: 'string', default: '100' },
  },
});

const percentiles = (samples: readonly number[]): string => {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, max ${at(1)} ms`;
};

const stage = await StormStage.open({ rate: 500, connections: 50 });
try {
  const storm = new Storm(stage, {
    ...{ seconds: Number(values.seconds), weightsEvery: 10, reloadEvery: 100 },
    ...{ webSockets: Number(values.websockets), transfers: 10, transferMs: 5_000, wrkPause: 10 },
  });
  const outcome = await storm.run();
  const { client, wrk, webSockets, transfers, weights, reloads, generation, newConnections, memory } = outcome;
  const lost = losses(outcome);
  if (!stage.lives) lost.push('sluice has died');
  const machine = describeMachine();
  const count = (value: number): string => value.toLocaleString('en');
  console.log(
    [
      `${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
      '',
      `storm            ${values.seconds} s`,
      `requests         ${count(client.made)} of the client over 50 connections, ${count(client.skipped)} skipped; ${wrk === null ? 'no wrk' : `${count(wrk.requests)} of wrk over 8`}`,
      `answered by      ${Object.entries(client.answers)
        .map(([name, answers]) => `${name} ${count(answers)}`)
        .join(', ')}`,
      `WebSockets       ${webSockets.opened}, ${count(webSockets.echoes)} echoes`,
      `transfers        ${count(transfers.finished)} downloads and uploads of 5 s`,
      `weights          ${count(weights.made)} changes, ${count(weights.skipped)} skipped for too many under way`,
      `  every worker   ${percentiles(weights.appliedInMs)}`,
      `  whole call     ${percentiles(weights.callMs)}`,
      `reloads          ${count(reloads.made)} asked for, ${count(reloads.skipped)} skipped; ${count(reloads.applied)} applied, ${count(reloads.unchanged)} found nothing new, ${count(reloads.rejected)} rejected`,
      `generation       ${count(generation.found)}, expected ${count(generation.expected)}`,
      `new connections  ${Object.entries(newConnections)
        .map(([name, added]) => `${name} ${count(added)}`)
        .join(', ')} upstream, while it lasted`,
      `memory           ${memory.join(' ')} MiB resident`,
      `lost             ${lost.length === 0 ? 'nothing' : `\n  ${lost.join('\n  ')}`}`,
    ].join('\n'),
  );
  if (lost.length > 0) process.exitCode = 1;
} finally {
  await stage.close();
}

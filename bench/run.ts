/**
 * The benchmark: Sluice beside nginx, HAProxy, Caddy and the JavaScript proxies, in one run on one machine.
 *
 * Order: see who is there → check everyone's answers → measure each scenario → write the document. Whoever is missing is
 * named and left out; whoever answers wrongly is refused, and the run ends with 1. README.md beside this file has the method.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type Arena, startProxy, startUpstream } from './arena.ts';
import { checkAnswers } from './checks.ts';
import { measureDecisions } from './decision.ts';
import { type IdleMemory, measureIdleMemory } from './idle-memory.ts';
import { choosePinning, describeMachine, outputOf } from './machine.ts';
import { measureScenario } from './measure.ts';
import { expectedSeconds, type Plan, readPlan, usage } from './options.ts';
import { killAllNow, stop, stopAll } from './processes.ts';
import { reference } from './proxies/field.ts';
import type { ProxySetup } from './proxies/proxy-setup.ts';
import { describeQuietness, type Results, renderDocument, renderTables } from './report.ts';

const here = new URL('.', import.meta.url).pathname;
const say = (text: string) => process.stderr.write(`${text}\n`);

function requireTools(): void {
  const missing: string[] = [];
  if (Number(process.versions.node.split('.', 1)[0]) < 24) {
    missing.push(`Node 24 (this is ${process.version}): use npm run bench, which finds the one in node_modules`);
  }
  if (process.platform !== 'linux') missing.push('Linux: processor time comes from /proc');
  if (outputOf('wrk', ['-v']) === null) missing.push('wrk: apt-get install wrk');
  if (outputOf('nginx', ['-v']) === null) missing.push('nginx, also the upstream: apt-get install nginx-light');
  if (missing.length > 0) throw new Error(`the benchmark needs\n  ${missing.join('\n  ')}`);
}

async function refuseWrongAnswers(
  arena: Arena,
  present: readonly ProxySetup[],
  faults: Map<ProxySetup, string>,
): Promise<void> {
  const origin = await startUpstream(arena, 'origin');
  for (const proxy of present) {
    try {
      const { child, port } = await startProxy(arena, proxy, origin.port);
      const fault = await checkAnswers(port);
      if (fault !== null) faults.set(proxy, fault);
      await stop(child);
    } catch (error) {
      faults.set(proxy, (error as Error).message);
    }
    say(`check  ${proxy.title}: ${faults.get(proxy) ?? 'answers are right'}`);
  }
  await stop(origin.child);
}

function versionsOf(proxies: readonly ProxySetup[]): Map<string, string> {
  const versions = new Map(proxies.map((proxy) => [proxy.title, proxy.version()]));
  const wrk = /wrk (?:debian\/)?(\S+)/.exec(outputOf('wrk', ['-v']) ?? '')?.[1] ?? 'unknown';
  return versions.set('wrk', wrk);
}

async function run(plan: Plan, arena: Arena, commandLine: string): Promise<Results> {
  const leftOut = new Map<string, string>();
  const present: ProxySetup[] = [];
  for (const proxy of plan.proxies) {
    const reason = proxy.missing();
    if (reason === null) present.push(proxy);
    else {
      leftOut.set(proxy.title, reason);
      say(`absent ${proxy.title}: ${reason}`);
    }
  }
  const wrong = new Map<ProxySetup, string>();
  await refuseWrongAnswers(arena, present, wrong);
  const faults: string[] = [];
  for (const [proxy, fault] of wrong) {
    leftOut.set(proxy.title, fault);
    faults.push(`${proxy.title}: ${fault}`);
  }
  const proxies = present.filter((proxy) => !wrong.has(proxy));

  const scenarios: Results['scenarios'][number][] = [];
  for (const scenario of plan.scenarios) {
    const cells = await measureScenario(arena, plan, scenario, proxies);
    scenarios.push({ scenario, cells });
    for (const proxy of proxies) {
      const cell = cells.get(proxy.id)!;
      if (cell.fault !== null) faults.push(`${proxy.title}, ${scenario.id}: ${cell.fault}`);
      say(`${scenario.id.padEnd(9)} ${proxy.title.padEnd(20)} ${cell.fault ?? `${cell.figures?.cpuUs.toFixed(1)} µs`}`);
    }
  }
  const idleMemory = new Map<string, IdleMemory>();
  for (const proxy of plan.idleMemory.filter((candidate) => proxies.includes(candidate))) {
    const memory = await measureIdleMemory(arena, proxy);
    idleMemory.set(proxy.id, memory);
    if (memory.fault !== null) faults.push(`${proxy.title}, idle: ${memory.fault}`);
    say(`${'idle'.padEnd(9)} ${proxy.title.padEnd(20)} ${memory.fault ?? `${memory.kibPerConnection.toFixed(1)} KiB`}`);
  }
  const decisions = plan.decisions ? measureDecisions() : [];
  for (const { title, p95 } of decisions) say(`decision  p95 ${p95.toFixed(2)} µs  ${title}`);
  return {
    date: new Date().toISOString().slice(0, 10),
    commandLine,
    machine: describeMachine(),
    pinning: arena.pinning,
    versions: versionsOf(proxies),
    rounds: plan.rounds,
    roundSeconds: plan.roundSeconds,
    warmUp: plan.warmUp,
    proxies,
    leftOut,
    scenarios,
    idleMemory,
    decisions,
    faults,
  };
}

/** The document goes to bench/RESULTS.md only from a full run; anything less goes to the git-ignored bench/results. */
function write(plan: Plan, results: Results): void {
  const latest = join(here, 'results');
  mkdirSync(latest, { recursive: true });
  const out = plan.out ?? (plan.full ? join(here, 'RESULTS.md') : join(latest, 'latest.md'));
  const notes = join(here, 'notes.md');
  writeFileSync(out, renderDocument(results, reference, existsSync(notes) ? readFileSync(notes, 'utf8').trim() : null));
  const plain = (_key: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value);
  writeFileSync(join(latest, 'latest.json'), `${JSON.stringify(results, plain, 2)}\n`);
  process.stdout.write(`${renderTables(results, reference)}\n\n`);
  const quietness = describeQuietness(results);
  if (quietness !== null) say(quietness);
  say(`written: ${relative(process.cwd(), out)}`);
  if (!plan.full && plan.out === null)
    say('bench/RESULTS.md is left as it is: this was not a full run (--out writes elsewhere)');
}

async function main(argv: readonly string[]): Promise<number> {
  // Where Debian puts nginx and haproxy, which is not on every user's path.
  process.env.PATH = `${process.env.PATH}:/usr/sbin`;
  let plan: Plan;
  try {
    plan = readPlan(argv);
    requireTools();
  } catch (error) {
    say(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const arena: Arena = { directory: mkdtempSync(join(tmpdir(), 'sluice-bench-')), pinning: choosePinning() };
  const cleanUp = async () => {
    await stopAll();
    rmSync(arena.directory, { recursive: true, force: true });
  };
  process.on('exit', killAllNow);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(code)));
  }
  // The harness reads and waits, but what little it does must not happen on the core that is measured.
  if (arena.pinning.loadCores !== null) outputOf('taskset', ['-apc', arena.pinning.loadCores, String(process.pid)]);
  say(`about ${Math.ceil(expectedSeconds(plan) / 60)} min`);
  try {
    const commandLine = ['node bench/run.ts', ...argv].join(' ');
    const results = await run(plan, arena, commandLine);
    write(plan, results);
    for (const fault of results.faults) say(`refused: ${fault}`);
    return results.faults.length === 0 ? 0 : 1;
  } finally {
    await cleanUp();
  }
}

process.exitCode = await main(process.argv.slice(2));

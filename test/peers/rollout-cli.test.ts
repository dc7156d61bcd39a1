/**
 * `sluice rollout …` against the real program: what a build server and an operator would type, with the exit codes that scripts go by.
 *
 * One Sluice serves all parts one after the other; each leaves v1 stable with everything. Keys of approvers are made by openssl, as docs/approvals.md
 * says.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { lacking, plainEnvironment, run } from './commands.ts';
import { newSite, type Running, type Site, sluice, startControl } from './control-process.ts';
import { phaseOf, rolloutConfig, rolloutList, switchableVersion, trafficOf, Users, until } from './rollout-site.ts';

const STEP = { for: '300ms' };
const EVIDENCE = { latency: 'off' };
const STRATEGIES = {
  quick: {
    evidence: EVIDENCE,
    steps: [
      { name: 'tenth', weight: 10, ...STEP },
      { name: 'everyone', weight: 100, ...STEP },
    ],
  },
  slow: { evidence: EVIDENCE, steps: [{ name: 'few', weight: 20, for: '1h' }] },
  keys: {
    evidence: EVIDENCE,
    approvals: { required: 2, roles: ['human', 'agent'] },
    steps: [
      { name: 'few', weight: 10 },
      { name: 'yes', pause: 'approval' },
      { name: 'half', weight: 50, for: '1h' },
    ],
  },
};

interface Said {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

t.test('the commands', { skip: lacking('openssl') }, async (t) => {
  const site = await newSite(t);
  const versions = await Promise.all(['v1', 'v2', 'v3'].map((name) => switchableVersion(t, name)));
  const v2 = versions[1]!;
  const keys = await keysIn(site);
  const approvers = [
    { name: 'lead', role: 'human', publicKey: keys.lead.publicKey },
    { name: 'bot', role: 'agent', publicKey: keys.bot.publicKey },
    { name: 'deputy', role: 'human', publicKey: keys.deputy.publicKey },
  ];
  const running = await startControl(t, site, rolloutConfig(site, versions, STRATEGIES, { approvers }));
  const users = new Users(t, site);
  const cli = async (...args: readonly string[]): Promise<Said> => {
    const { status, output, errors } = await sluice(...args, '--admin', site.admin);
    return { status, out: output.toString(), err: errors };
  };

  t.test('strategies and risk', async (t) => {
    const { status, out } = await cli('strategies');
    t.equal(status, 0);
    for (const name of ['quick', 'keys', 'standard', 'blue-green']) t.match(out, new RegExp(`^${name} `, 'm'));
    t.match(await cli('strategies', 'quick'), { status: 0, out: /tenth +weight +10 % for 300ms/ });
    t.match(await cli('strategies', 'quik'), { status: 1, err: /here is no strategy quik.*quick/ });
    t.match(await cli('rollout', 'start', 'shop', 'v2', '--strategy', 'slow', '--risk'), {
      status: 0,
      out: /first step/,
    });
    t.same(await rolloutList(running), [], 'asking for the risk starts nothing');
  });

  t.test('start --wait ends with 0 when the version is stable', async (t) => {
    const { status, out } = await cli(
      'rollout',
      'start',
      'shop',
      'v2',
      '--strategy',
      'quick',
      '--wait',
      '--reason',
      'release',
    );
    t.equal(status, 0, out);
    t.match(out, /step 2 of 2, everyone: 100 %.*Succeeded/s);
    t.equal(await trafficOf(running), 'stable v2 100');
    t.strictSame(Object.keys(await users.answersOfNext(50)), ['v2']);
    t.match(await cli('rollout', 'start', 'shop', 'v2'), { status: 5, err: /v2 is the stable version/ });
  });

  t.test('a rollout that has succeeded is undone', async (t) => {
    t.match(await cli('rollout', 'rollback', 'shop'), { status: 2, err: /--reason TEXT is missing/ });
    const id = await latest(running);
    t.match(await cli('rollback', 'shop', '--reason', 'not this one'), {
      status: 0,
      out: new RegExp(`Nothing was changed: v2 is stable .*; to go back to v1: sluice rollout rollback ${id} --reason`),
    });
    t.equal(await trafficOf(running), 'stable v2 100');
    t.equal((await cli('rollout', 'rollback', 'shop', '--reason', 'not this one')).status, 0);
    await until(running, id, 'is back', phaseOf('RolledBack'));
    t.equal(await trafficOf(running), 'stable v1 100');
  });

  t.test('start --wait ends with 1 when it is taken back; why, report and pack tell of it', async (t) => {
    v2.failing = true;
    const { status, out } = await cli('rollout', 'start', 'shop', 'v2', '--strategy', 'slow', '--wait');
    t.equal(status, 1, out);
    t.match(out, /RolledBack: v2 was taken back at 20 %/);
    const id = await latest(running);
    t.match(await cli('rollout', 'why'), { status: 0, out: /evidence.*The last failing requests.*500/s });
    const why = JSON.parse((await cli('rollout', 'why', id, '--json')).out);
    t.match(why, { id, phase: 'RolledBack', decision: { cause: 'evidence', weight: 20 } });
    const file = join(site.folder, 'report.md');
    t.equal((await cli('rollout', 'report', 'shop', '--format', 'md', '--out', file)).status, 0);
    t.match(readFileSync(file, 'utf8'), /^# Rollout of shop v2\n.*\| Errors that users got \| 0 on v2, 0 on v1 \|/s);
    t.match(await cli('rollout', 'pack', id), { status: 0, out: /weights/ });
    t.match(JSON.parse((await cli('rollout', 'pack', id, '--json')).out), { rollout: id, intact: true });
    t.match(await cli('rollout', 'list', '--phase', 'RolledBack'), { status: 0, out: new RegExp(`^${id} `, 'm') });
  });

  t.test('retry, and watch without a terminal', async (t) => {
    const before = await latest(running);
    v2.failing = false;
    t.match(await cli('rollout', 'retry', 'shop', '--reason', 'mended'), { status: 0 });
    const id = await latest(running);
    t.not(id, before);
    await until(running, id, 'has users', phaseOf('Progressing'));
    const watching = follow(t, site, id);
    await watching.said(/step 1 of 1, few: 20 %/);
    t.match(await cli('rollout', 'pause', id, '--reason', 'lunch'), { status: 0, out: /Paused/ });
    t.match(await cli('rollout', 'resume', id), { status: 0, out: /Progressing/ });
    t.match(await cli('rollout', 'get', 'shop', '--json'), { status: 0, out: /"phase": "Progressing"/ });
    t.match(await cli('rollout', 'abort'), { status: 0 }, 'the only one that runs needs no name');
    t.equal(await watching.exit, 1);
    const out = await watching.all;
    t.match(out, /pause \(lunch\).*resume.*RolledBack/s);
    t.notMatch(out, /\x1b/, 'lines, no screen');
  });

  t.test('two keys: a human and an agent', async (t) => {
    const approve = (as: string, key: string): Promise<Said> =>
      cli('rollout', 'approve', 'shop', '--key', key, '--as', as);
    t.match(await cli('rollout', 'start', 'shop', 'v2', '--strategy', 'keys'), { status: 0 });
    const id = await latest(running);
    await until(running, id, 'asks', phaseOf('Paused'));
    t.match(await cli('rollout', 'promote', id), { status: 5, err: /asks for approval/ });
    t.match(await cli('rollout', 'skip', id), { status: 5, err: /asks for approval/ });
    t.match(await cli('rollout', 'promote', id, '--full'), { status: 5 });
    t.match(await cli('rollout', 'approve', id), { status: 1, err: /has to be signed/ });
    t.match(await approve('lead', keys.bot.file), { status: 4, err: /not one by the key of lead/ });
    t.match(await approve('lead', keys.lead.file), { status: 0, out: /sluice-approval-v1.*1 approval of 2.*agent/s });
    t.match(await approve('deputy', keys.deputy.file), { status: 0, out: /agent/ }, 'two humans are no agent');
    t.equal((await until(running, id, 'waits', phaseOf('Paused'))).step, 2);
    t.match(await approve('bot', keys.bot.file), { status: 0 });
    await until(running, id, 'goes on', ({ step }) => step === 3);
    t.equal(await trafficOf(running), 'stable v1 50, canary v2 50');
    const audit = JSON.parse((await cli('audit', '--action', 'rollout.approve', '--json')).out);
    const verified = audit.rows.map(({ after }: { after: unknown }) => JSON.stringify(after));
    t.equal(verified.filter((row: string) => row.includes('verified')).length, 3);
  });

  t.test('sluice rollback SERVICE ends the rollout', async (t) => {
    const id = await latest(running);
    t.match(await cli('weights', 'shop', 'v1=90', 'v2=10'), { status: 5, err: /has the traffic of shop in hand/ });
    t.match(await cli('rollback', 'shop', '--reason', 'enough'), {
      status: 0,
      out: new RegExp(`${id} takes v2 back; sluice rollout get ${id} shows how far it is`),
    });
    await until(running, id, 'is back', phaseOf('RolledBack'));
    t.equal(await trafficOf(running), 'stable v1 100');
    t.equal((await cli('weights', 'shop', 'v1=100', 'v2=0')).status, 0, 'and the weights are free again');
  });

  t.test('one at a time: refused, queued, superseded', async (t) => {
    t.equal((await cli('rollout', 'start', 'shop', 'v2', '--strategy', 'slow')).status, 0);
    const first = await latest(running);
    await until(running, first, 'has users', phaseOf('Progressing'));
    t.match(await cli('rollout', 'start', 'shop', 'v3'), {
      status: 5,
      err: new RegExp(`${first} of shop is Progressing`),
    });
    t.equal((await cli('rollout', 'start', 'shop', 'v3', '--strategy', 'slow', '--when-busy', 'queue')).status, 0);
    const second = await latest(running);
    t.match(await until(running, second, 'waits', phaseOf('Queued')), { waiting: new RegExp(first) });
    t.equal((await cli('rollout', 'abort', second)).status, 0);
    t.equal((await cli('rollout', 'start', 'shop', 'v3', '--strategy', 'slow', '--when-busy', 'supersede')).status, 0);
    const third = await latest(running);
    await until(running, third, 'has users', phaseOf('Progressing'));
    t.match(await cli('rollout', 'get', first), { status: 0, out: /superseded/ });
    t.equal(await trafficOf(running), 'stable v1 80, canary v3 20');
    t.equal((await cli('rollout', 'abort', third)).status, 0);
    await until(running, third, 'is back', phaseOf('RolledBack'));
  });

  t.test('a strategy from a file, a time to begin, a wait that is too long', async (t) => {
    const file = join(site.folder, 'strategy.yaml');
    writeFileSync(file, 'evidence: { latency: off }\nsteps:\n  - { name: hold, weight: 5, for: 1h }\n');
    const later = ['--not-before', '1h', '--strategy-file', file];
    t.match(await cli('rollout', 'start', 'shop', 'v2', ...later, '--wait', '--timeout', '1s'), {
      status: 6,
      err: /still Queued and goes on/,
    });
    t.match(await cli('rollout', 'get', 'shop'), { status: 0, out: /its time/ });
    t.equal((await cli('rollout', 'abort', 'shop')).status, 0);
    writeFileSync(file, 'steps: [ { name: hold, wieght: 5 } ]\n');
    t.match(await cli('rollout', 'start', 'shop', 'v2', '--strategy-file', file), { status: 1, err: /wieght/ });
  });

  t.test('nobody got an error', async (t) => {
    t.strictSame(users.faults, {});
    t.match(await cli('audit', 'verify'), { status: 0 });
  });
});

const latest = async (running: Running): Promise<string> => (await rolloutList(running))[0]!.id;

interface Key {
  /** The private half. */
  readonly file: string;
  readonly publicKey: string;
}

async function keysIn({ folder }: Site): Promise<Readonly<Record<'lead' | 'bot' | 'deputy', Key>>> {
  const make = async (name: string): Promise<Key> => {
    const file = join(folder, `${name}.pem`);
    await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', file]);
    const { output } = await run('openssl', ['pkey', '-in', file, '-pubout']);
    return { file, publicKey: output.toString() };
  };
  return { lead: await make('lead'), bot: await make('bot'), deputy: await make('deputy') };
}

/** `sluice rollout watch` into a pipe. */
function follow(t: Test, { admin }: Site, id: string) {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const child = spawn(process.execPath, [main, 'rollout', 'watch', id, '--interval', '200ms', '--admin', admin], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  let soFar = '';
  const said = (what: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      child.stdout.on('data', () => what.test(soFar) && resolve());
      void exit.then((code) => reject(new Error(`watch ended with ${code}: ${soFar}`)));
    });
  child.stdout.on('data', (chunk: Buffer) => {
    soFar += chunk.toString();
  });
  return { exit, said, all: text(child.stdout).then(() => soFar) };
}

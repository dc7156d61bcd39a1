/**
 * Each file of config/examples: what its first comment says to do is done, it is checked, started with real upstreams, and asked.
 *
 * The files stand in a folder of their own, with ports that are free here and receivers that nobody is at. Keys and secrets are made by the
 * very commands that the comments name. One file claims to have every key; the schema says whether it does. Control plane and workers
 * run in this process, because six processes would spend most of the time with reading the sources.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { parse } from 'yaml';
import { runCli } from '../../src/cli/cli.ts';
import { fileSource } from '../../src/control/change/config-source.ts';
import { configSchema } from '../../src/control/config/schema.ts';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { lacking } from '../peers/commands.ts';
import { eventually, newSite, type Site, threeUpstreams, whoAnswers } from '../peers/control-process.ts';
import { schemaKeys } from './reference-table.ts';

const EXAMPLES = join(import.meta.dirname, '../../config/examples');
const names = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
const read = (name: string): string => readFileSync(join(EXAMPLES, name), 'utf8');

interface Stage {
  readonly site: Site;
  /** Where the folder `config/examples` is. */
  readonly root: string;
}

async function stage(t: Test, name: string): Promise<Stage> {
  const urls = await threeUpstreams(t);
  const place = await newSite(t);
  const root = mkdtempSync(join(tmpdir(), 'sluice-example-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
  const file = join(root, 'config/examples', name);
  mkdirSync(join(root, 'config/examples'), { recursive: true });
  const text = read(name)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${place.proxyPort}`)
    .replaceAll('127.0.0.1:9901', `127.0.0.1:${place.adminPort}`)
    .replaceAll('http://127.0.0.1:3001', urls.a)
    .replaceAll('http://127.0.0.1:3002', urls.b)
    .replaceAll('http://127.0.0.1:3003', urls.c)
    .replace('path: "-"', 'path: ./access.log')
    .replaceAll(/https:\/\/[a-z]+\.example\.com/g, 'http://127.0.0.1:9');
  writeFileSync(file, text);
  return { root, site: { ...place, file } };
}

/** The commands of the first comment from the line that begins so, as many as are said. @returns what they printed. */
function commandsOf(name: string, { root }: Stage, from: RegExp, count: number, then = ''): string {
  const lines = read(name)
    .split('\n')
    .flatMap((line) => /^# {3}(.*)$/.exec(line)?.[1] ?? []);
  const first = lines.findIndex((line) => from.test(line));
  const script = [...lines.slice(first, first + count), then].join('\n');
  return execFileSync('bash', ['-euc', script], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

async function start(t: Test, { file }: Site, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const source = fileSource([file], env);
  const options = { source, loaded: source.load(), logger: silentLogger, release: '0.0.0', onDrain: () => {} };
  const plane = await ControlPlane.open(options);
  t.teardown(() => plane.kill());
  await plane.start();
}

async function started(t: Test, name: string): Promise<Site> {
  const { site } = await stage(t, name);
  await start(t, site);
  return site;
}

/** A command of Sluice against this one. */
async function sluice({ admin }: Site, ...argv: readonly string[]): Promise<string> {
  const said = { out: '', err: '' };
  const out = (text: string): void => {
    said.out += text;
  };
  const err = (text: string): void => {
    said.err += text;
  };
  const code = await runCli(argv, { out, err, env: { SLUICE_ADMIN: admin } });
  if (code !== 0) throw new Error(`sluice ${argv.join(' ')} ended with ${code}: ${said.err}`);
  return said.out;
}

t.test('each says what it shows and how it is run', async (t) => {
  t.strictSame(names.sort(), [
    ...['blue-green.yaml', 'canary.yaml', 'full.yaml', 'minimal.yaml', 'two-key.yaml', 'two-service.yaml'],
  ]);
  for (const name of names) {
    const [comment = ''] = read(name).split(/\n(?!#)/);
    t.match(comment, new RegExp(`^# [A-Z].*\n#   .*-c config/examples/${name}`, 's'), name);
  }
});

t.test('full.yaml has every key', async (t) => {
  const written = pathsOf(parse(read('full.yaml').replaceAll(/\$\{\w+:-(\w+)\}/g, '$1')));
  const missing = schemaKeys(configSchema)
    .map(({ path }) => path)
    .filter((path) => {
      const steps = path.replaceAll('[]', '.[]').split('.');
      return !written.some((parts) => steps.length === parts.length && steps.every((step, i) => fits(step, parts[i]!)));
    });
  t.strictSame(missing, []);
});

const fits = (step: string, written: string): boolean => step.startsWith('<') || step === written;

function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? value.map((entry) => ['[]', entry] as const) : Object.entries(value);
  return [path, ...entries.flatMap(([step, entry]) => pathsOf(entry, [...path, step]))];
}

t.test('minimal.yaml', async (t) => {
  const site = await started(t, 'minimal.yaml');
  t.equal(await whoAnswers(site), 'a');
});

t.test('two-service.yaml', async (t) => {
  const site = await started(t, 'two-service.yaml');
  t.match(await whoAnswers(site), /^[ab]$/);
  t.equal(await whoAnswers(site, { host: 'api.localhost' }), 'c');
  const api = await request(`${site.proxy}/api/orders`);
  t.equal(await api.body.text(), 'c');
  const moved = await request(`${site.proxy}/shop.php`);
  t.match([moved.statusCode, moved.headers.location], [301, /\/$/]);
});

t.test('canary.yaml', async (t) => {
  const site = await started(t, 'canary.yaml');
  t.match(await whoAnswers(site), /^[ab]$/);
  t.equal(await whoAnswers(site, { 'x-canary-deploy': 'v2' }), 'c');
  t.match(await sluice(site, 'rollout', 'start', 'shop', 'v2', '--strategy', 'careful'), /^Rollout shop-1 of shop/);
  // Its first step is checks; users come behind them.
  await eventually('the first share', async () => / {2}5\.00 %/.test(await sluice(site, 'weights', 'shop')));
});

t.test('blue-green.yaml', async (t) => {
  const site = await started(t, 'blue-green.yaml');
  t.match(await whoAnswers(site), /^[ab]$/);
  t.equal(await whoAnswers(site, { 'x-version': 'green' }), 'c');
  await sluice(site, 'weights', 'shop', 'blue=0', 'green=100', '--reason', 'release 2');
  t.equal(await whoAnswers(site), 'c', 'the very next request');
  await sluice(site, 'weights', 'shop', 'blue=100', 'green=0', '--reason', 'back');
  t.match(await whoAnswers(site), /^[ab]$/);
  t.match(await sluice(site, 'rollout', 'start', 'shop', 'green', '--strategy', 'switch'), /^Rollout shop-1 of shop/);
});

t.test('two-key.yaml', { skip: lacking('openssl') }, async (t) => {
  const name = 'two-key.yaml';
  const made = await stage(t, name);
  commandsOf(name, made, /^for who in/, 1);
  const { site } = made;
  await start(t, site);
  await sluice(site, 'rollout', 'start', 'shop', 'v2', '--strategy', 'two-key');
  const weightIs = (text: string) => async (): Promise<boolean> =>
    (await sluice(site, 'weights', 'shop')).includes(text);
  await eventually('the pause', async () => /both-keys/.test(await sluice(site, 'rollout', 'get', 'shop')));
  await sluice(site, 'rollout', 'approve', 'shop', '--key', join(made.root, 'lead.pem'), '--as', 'release-lead');
  t.notOk(await weightIs('10.00 %')(), 'one key is not enough');
  await sluice(site, 'rollout', 'approve', 'shop', '--key', join(made.root, 'bot.pem'), '--as', 'review-bot');
  await eventually('the first share', weightIs('10.00 %'));
});

t.test('full.yaml', { skip: lacking('openssl') }, async (t) => {
  const name = 'full.yaml';
  const made = await stage(t, name);
  const { site } = made;
  const said = commandsOf(name, made, /^cd config/, 6, 'echo "$SLUICE_CI_TOKEN $HOOK_SECRET"');
  const [token = '', secret = ''] = said.trim().split(' ');
  await start(t, site, { SLUICE_CI_TOKEN: token, HOOK_SECRET: secret });
  t.match(await whoAnswers(site), /^[abc]$/);
  t.equal(await whoAnswers(site, { 'x-canary-deploy': 'canary' }), 'c');
  const robots = await request(`${site.proxy}/robots.txt`);
  t.match(await robots.body.text(), /^User-agent/);
  const moved = await request(`${site.proxy}/old`);
  t.match([moved.statusCode, moved.headers.location], [308, 'https://www.example.com:8443/new']);
  const authority = join(made.root, 'config/examples/full/admin.pem');
  const over = { ...site, admin: site.admin.replace('http:', 'https:') };
  t.equal(await sluice(over, 'health', '--ready', '--cacert', authority), 'ready\n');
});

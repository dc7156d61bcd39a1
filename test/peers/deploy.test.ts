/**
 * The container, docker-compose and systemd files against each other and against what Sluice is: versions, users, paths, ports, deadlines.
 *
 * No engine runs here. `npm run image` carries out the Dockerfile and tries what comes out; this finds what has drifted apart.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { runCli } from '../../src/cli/cli.ts';
import { parseDuration } from '../../src/control/config/units.ts';
import { faultsOf } from '../config/fault-cases.ts';
import { sentFiles } from '../deploy/build-image.ts';
import { lastOf, parseDockerfile } from '../deploy/dockerfile.ts';
import { lacking, run } from './commands.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const stages = parseDockerfile(read('Dockerfile'));
const final = stages.at(-1)!;
const wordsOf = (name: string): readonly string[] => lastOf(final, name)?.words ?? [];
const STATE = '/var/lib/sluice';

async function called(...argv: string[]): Promise<{ readonly code: number; readonly out: string }> {
  let out = '';
  const say = (text: string): void => {
    out += text;
  };
  return { code: await runCli(argv, { out: say, err: say, env: { SLUICE_ADMIN: 'http://127.0.0.1:9' } }), out };
}

t.test('the Dockerfile is read as it is meant', async (t) => {
  const text =
    '# x\nARG A=1\nFROM a:$' +
    '{A} AS b\nCOPY --from=c --chown=1:1 d \\\n  # y\n  e\nHEALTHCHECK --x=1 CMD ["f", "g h"]\n';
  const [stage] = parseDockerfile(text);
  t.match(stage, { name: 'b', base: 'a:1' });
  t.match(stage?.instructions, [
    { line: 4, name: 'COPY', flags: { from: 'c', chown: '1:1' }, words: ['d', 'e'] },
    { line: 7, name: 'HEALTHCHECK', flags: { x: '1' }, words: ['f', 'g h'] },
  ]);
  t.throws(() => parseDockerfile('FROM a\nONBUILD x\n'), /Dockerfile:2: ONBUILD is not known/);
});

t.test('the image', async (t) => {
  const { node } = JSON.parse(read('package.json')).dependencies;
  for (const { base } of stages.slice(0, -1)) t.equal(base, `node:${node}-trixie-slim`, 'the Node of a working copy');
  t.match(lastOf(final, 'USER')?.text, /^[1-9]\d*:[1-9]\d*$/, 'a number, which Kubernetes can see is not root');
  t.equal(lastOf(final, 'STOPSIGNAL')?.text, 'SIGTERM');
  t.strictSame(wordsOf('VOLUME'), [STATE]);
  t.notOk(
    final.instructions.some(({ name }) => name === 'RUN'),
    'there is no shell',
  );
  for (const { words, flags, line } of stages.flatMap(({ instructions }) =>
    instructions.filter(({ name }) => name === 'COPY'),
  )) {
    if (flags.from !== undefined) continue;
    for (const word of words.slice(0, -1)) {
      t.ok(word === '.' || sentFiles(ROOT).includes(word), `line ${line}: ${word} is in the context`);
    }
  }
  for (const name of sentFiles(ROOT)) t.ok(existsSync(join(ROOT, name)), `${name} of .dockerignore is there`);
});

t.test('its commands are commands', async (t) => {
  const entry = wordsOf('ENTRYPOINT');
  const health = wordsOf('HEALTHCHECK');
  t.strictSame(health.slice(0, entry.length), entry);
  t.match(
    await called(...health.slice(entry.length)),
    { code: 1, out: /no server answers/ },
    'wrongly called would be 2',
  );
  const [command = '', ...args] = wordsOf('CMD');
  t.equal(command, 'run');
  t.match(await called('check', ...args), { code: 1, out: /\/etc\/sluice\/sluice\.yaml/ });
});

t.test('docker-compose', async (t) => {
  const folder = 'config/compose';
  const { services, volumes } = parse(read(`${folder}/docker-compose.yaml`), { merge: true });
  const text = read(`${folder}/sluice.yaml`);
  t.strictSame(faultsOf(text, { SLUICE_OPS_TOKEN: 'a-token-that-is-long' }), []);
  t.match(faultsOf(text), [/admin.tokens\[0\].env: .* is not set/], 'the token is needed');
  const config = parse(text);
  t.equal(config.data, STATE);
  t.ok(seconds(services.sluice.stop_grace_period) > seconds(config.timeouts.drain), 'longer than the drain');
  t.strictSame(services.sluice.ports, ['127.0.0.1:8080:8080', '127.0.0.1:9901:9901'], 'on loopback only');
  for (const [name, { command }] of Object.entries<{ command?: string[] }>(services)) {
    const endpoints = config.services.shop.versions[name]?.endpoints;
    if (endpoints === undefined) continue;
    t.strictSame(endpoints, [`http://${name}:3000`]);
    t.strictSame(command, ['demo', '--upstream', name, '--listen', '0.0.0.0:3000']);
  }
  for (const { volumes: mounted = [] } of Object.values<{ volumes?: string[] }>(services)) {
    for (const [source = ''] of mounted.map((each) => each.split(':'))) {
      const there = source.startsWith('.') ? existsSync(join(ROOT, folder, source)) : source in volumes;
      t.ok(there, `${source} is there`);
    }
  }
  const prometheus = parse(read(`${folder}/prometheus.yaml`));
  const usual = parse(read('config/prometheus/prometheus.yaml'));
  t.strictSame(prometheus.rule_files, usual.rule_files);
  t.strictSame(prometheus.global, usual.global);
  t.equal(prometheus.scrape_configs[0].job_name, usual.scrape_configs[0].job_name);
  const source = parse(read(`${folder}/grafana-datasource.yaml`));
  const usualSource = parse(read('config/grafana/provisioning/datasources/prometheus.yaml'));
  t.strictSame({ ...source.datasources[0], url: '' }, { ...usualSource.datasources[0], url: '' });
});

const seconds = (text: string): number => parseDuration(text)! / 1000;

t.test('the unit of systemd', async (t) => {
  const unit = read('config/systemd/sluice.service');
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
  t.match(value('ExecStart'), / run -c \/etc\/sluice\/sluice\.yaml$/);
  t.equal(join('/var/lib', value('StateDirectory')), STATE);
  t.ok(seconds(value('TimeoutStopSec')) > 30, 'longer than the drain that is the default');
  t.match(value('KillSignal'), /^SIGTERM$/);
  t.match(value('ExecReload'), /-HUP/);
  // As the unit's head says the configuration is written.
  const folder = t.testdir({ ops: 'a-token-that-is-long' });
  const text = `listen: :80\ndata: ${STATE}\nadmin: { tokens: [ { name: ops, role: admin, file: "\${CREDENTIALS_DIRECTORY}/ops" } ] }
services: { shop: { versions: { v1: { endpoints: [ "http://127.0.0.1:3001" ] } } } }\n`;
  t.strictSame(faultsOf(text, { CREDENTIALS_DIRECTORY: folder }), []);
});

t.test('systemd takes the unit', { skip: lacking('systemd-analyze') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const verify = async (text: string): Promise<string[]> => {
    // Programs that the unit names are looked for below this folder, and need not be there in earnest.
    const unit = text.replaceAll('/opt/sluice', join(folder, 'opt'));
    const node = join(folder, 'opt/node_modules/.bin/node');
    mkdirSync(dirname(node), { recursive: true });
    writeFileSync(node, '', { mode: 0o755 });
    writeFileSync(join(folder, 'sluice.service'), unit);
    const { errors } = await run('systemd-analyze', ['verify', '--man=no', join(folder, 'sluice.service')]);
    return errors.split('\n').filter((line) => line.includes('sluice.service'));
  };
  const unit = read('config/systemd/sluice.service');
  t.strictSame(await verify(unit), []);
  t.match(await verify(unit.replace('ProtectHome', 'ProtectHoem')), [/Unknown key/]);
});

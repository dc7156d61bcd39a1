/**
 * The Kubernetes manifests: valid by the API's own schemas and types, and consistent with each other, the image and the configuration.
 *
 * Schemas know no unknown keys, and the API server drops those silently; so the manifests are type-checked too, where a key that does
 * not exist is an error. There is no cluster: what a real one does with them is not tried.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { CALLS } from '../../src/control/admin/call-list.ts';
import { PERMISSIONS } from '../../src/control/admin/permissions.ts';
import { parseDuration } from '../../src/control/config/units.ts';
import { faultsOf } from '../config/fault-cases.ts';
import { lastOf, parseDockerfile } from '../deploy/dockerfile.ts';
import { lacking, run } from './commands.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'config/kubernetes');
const MODELS: Readonly<Record<string, string>> = {
  ConfigMap: 'v1/ConfigMap',
  Deployment: 'apps/v1/Deployment',
  NetworkPolicy: 'networking.k8s.io/v1/NetworkPolicy',
  PersistentVolumeClaim: 'v1/PersistentVolumeClaim',
  PodDisruptionBudget: 'policy/v1/PodDisruptionBudget',
  Service: 'v1/Service',
};

// biome-ignore lint/suspicious/noExplicitAny: what is in a manifest is what the test looks at.
type Manifest = any;

const documentsOf = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJSON();
  });
const written = readdirSync(join(FOLDER, 'single'))
  .filter((name) => name !== 'kustomization.yaml')
  .flatMap((name) => documentsOf(readFileSync(join(FOLDER, 'single', name), 'utf8')));
const one = (kind: string, name = 'sluice'): Manifest =>
  written.find((each) => each.kind === kind && each.metadata.name === name);

async function built(variant: string): Promise<Manifest[]> {
  const { status, output, errors } = await run('kubectl', ['kustomize', join(FOLDER, variant)]);
  if (status !== 0) throw new Error(errors);
  return documentsOf(String(output));
}

/** What the API's schemas and types say; empty where all is well. */
async function faultsIn(t: Test, manifests: readonly Manifest[]): Promise<string[]> {
  const faults: string[] = [];
  const lines: string[] = [];
  for (const [index, manifest] of manifests.entries()) {
    const path = `kubernetes-models/${MODELS[manifest.kind]}`;
    const { [manifest.kind]: Model } = await import(path);
    try {
      new Model(manifest).validate();
    } catch (error) {
      faults.push(`${manifest.kind}: ${(error as Error).message}`);
    }
    lines.push(`import type { I${manifest.kind} as T${index} } from '${path}';`);
    lines.push(`export const x${index}: T${index} = ${JSON.stringify(manifest)};`);
  }
  // Where the compiler finds the package.
  mkdirSync(join(ROOT, 'node_modules/.cache'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'node_modules/.cache/manifests-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'manifests.mts'), lines.join('\n'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--types', '', '--target', 'es2023'];
  const modules = ['--module', 'nodenext', join(folder, 'manifests.mts')];
  try {
    // The test runner puts its loader into every child that is a Node program, and the compiler does not start with it.
    const command = ['-u', 'NODE_OPTIONS', join(ROOT, 'node_modules/.bin/tsc'), ...options, ...modules];
    execFileSync('env', command, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    const told = stdout.split('\n').filter((line) => line.includes('error'));
    faults.push(...(told.length > 0 ? told : [`tsc: ${stdout}${stderr}`]));
  }
  return faults;
}

t.test('as written they are valid', async (t) => {
  t.strictSame(await faultsIn(t, written), []);
  const bad = structuredClone(one('Deployment'));
  bad.spec.template.spec.containers[0].readinesProbe = {};
  bad.spec.replicas = 'one';
  t.match(await faultsIn(t, [bad]), [
    /data\/spec\/replicas must be integer/,
    /'string' is not assignable/,
    /readinesProbe.* does not exist/,
  ]);
});

/** Debian 12 has a kubectl of 2021, whose kustomize does not know `labels` and `patches`. */
async function lackingKustomize(): Promise<string | false> {
  const missing = lacking('kubectl');
  if (missing !== false) return missing;
  const { output } = await run('kubectl', ['version', '--client']);
  return /Kustomize Version: v[5-9]/.test(String(output)) ? false : 'kubectl has no kustomize from version 5 on';
}

t.test('as kustomize puts them together', { skip: await lackingKustomize() }, async (t) => {
  const [single, replicas] = await Promise.all(['single', 'replicas'].map(built));
  t.strictSame(await faultsIn(t, [...single!, ...replicas!]), []);
  const kinds = (all: readonly Manifest[]): string[] => all.map(({ kind }) => kind).sort();
  t.strictSame(kinds(single!), kinds(written));
  t.strictSame(
    kinds(replicas!),
    kinds(written).filter((kind) => kind !== 'PersistentVolumeClaim'),
  );
  const find = (kind: string, name = 'sluice'): Manifest =>
    replicas!.find((each) => each.kind === kind && each.metadata.name === name);
  const { spec } = find('Deployment');
  t.match(spec, { replicas: 3, strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } } });
  t.strictSame(
    spec.template.spec.volumes.find(({ name }: Manifest) => name === 'state'),
    { name: 'state', emptyDir: { sizeLimit: '512Mi' } },
  );
  t.match(spec.template.spec.containers[0].image, /^registry\.example\.com\/sluice:/);
  t.equal(find('PodDisruptionBudget').spec.minAvailable, undefined);
  t.equal(find('PodDisruptionBudget').spec.maxUnavailable, 1);
  t.equal(find('Service', 'sluice-admin').spec.clusterIP, 'None');
});

t.test('they fit together', async (t) => {
  const { spec } = one('Deployment');
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const labels = spec.template.metadata.labels;
  t.strictSame([spec.replicas, spec.strategy], [1, { type: 'Recreate' }], 'one writer of one state');
  t.strictSame(spec.selector.matchLabels, labels);
  const ports = new Map<string, number>(container.ports.map((port: Manifest) => [port.name, port.containerPort]));
  for (const name of ['sluice', 'sluice-admin']) {
    const service = one('Service', name).spec;
    t.strictSame(service.selector, labels, name);
    for (const { targetPort } of service.ports) t.ok(ports.has(targetPort), `${name} leads to ${targetPort}`);
  }
  t.strictSame(one('PodDisruptionBudget').spec.selector.matchLabels, labels);
  const policy = one('NetworkPolicy').spec;
  t.strictSame(policy.podSelector.matchLabels, labels);
  t.strictSame(
    policy.ingress.flatMap((rule: Manifest) => rule.ports.map(({ port }: Manifest) => port)),
    [...ports.keys()],
  );

  const open = CALLS.filter(({ id }) => PERMISSIONS[id] === 'open').map(({ path }) => path);
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    const { path, port } = container[probe].httpGet;
    t.ok(open.includes(path), `${probe}: ${path} is there and needs no token`);
    t.equal(port, 'admin');
  }
  for (const { name, subPath } of container.volumeMounts) {
    t.ok(
      pod.volumes.some((volume: Manifest) => volume.name === name),
      `${name} is a volume`,
    );
    t.equal(subPath, undefined, 'a file of its own would never change');
  }
});

t.test('they fit the configuration and the image', async (t) => {
  const pod = one('Deployment').spec.template.spec;
  const [container] = pod.containers;
  const mounts = new Map<string, string>(container.volumeMounts.map((each: Manifest) => [each.name, each.mountPath]));
  const text: string = one('ConfigMap').data['sluice.yaml'];
  const tokens = t.testdir({ ops: 'a-token-that-is-long' });
  t.strictSame(faultsOf(text.replaceAll(mounts.get('tokens')!, tokens)), []);
  const config = parse(text);
  t.strictSame(container.args, ['run', '-c', `${mounts.get('config')}/sluice.yaml`]);
  t.equal(config.data, mounts.get('state'));
  t.strictSame(container.ports, [
    { name: 'http', containerPort: Number(config.listen.slice(1)) },
    { name: 'admin', containerPort: Number(config.admin.listen.split(':')[1]) },
  ]);
  t.equal(config.workers, Number(container.resources.limits.cpu));
  const drain = parseDuration(config.timeouts.drain)! / 1000;
  const before = container.lifecycle.preStop.sleep.seconds;
  t.ok(pod.terminationGracePeriodSeconds >= before + drain + 5, 'preStop, the drain and the end fit in');
  const image = parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).at(-1)!;
  const { runAsUser, runAsGroup, fsGroup, runAsNonRoot } = pod.securityContext;
  t.equal(`${runAsUser}:${runAsGroup}`, lastOf(image, 'USER')?.text);
  t.strictSame([fsGroup, runAsNonRoot], [runAsGroup, true]);
  t.match(container.securityContext, { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
});

/**
 * Asking many times and hearing who answered: upstreams whose body is their name, and requests in number.
 *
 * Requests of one call are pipelined over few connections. A proxy answers them one after the other, so their order, and with a seeded
 * chance every answer, is the same in each run.
 */
import type { Test } from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import { VERSION_SLOTS, versionSlot } from '../../src/model/counters.ts';
import type { EndpointSnapshot, Snapshot, VersionSnapshot } from '../../src/model/snapshot.ts';
import { answering, response } from './behaviours.ts';
import { configText, type ProxyOptions, type TestProxy } from './proxy.ts';
import type { Answer } from './raw-client.ts';
import { RawUpstream } from './raw-upstream.ts';

/** Requests on one connection; reading their answers costs the square of it. */
const BATCH = 100;

/** Upstreams that answer every request with their name. */
export async function startNamed<N extends string>(t: Test, ...names: N[]): Promise<Record<N, RawUpstream>> {
  const found: [N, RawUpstream][] = [];
  for (const name of names) found.push([name, await RawUpstream.start(t, answering(response(200, name)))]);
  return Object.fromEntries(found) as Record<N, RawUpstream>;
}

/** A GET without a body; `fields` are lines without their end. */
export function get(target = '/', ...fields: string[]): string {
  const host = fields.some((line) => /^host:/i.test(line)) ? [] : ['Host: shop.example.com'];
  return [`GET ${target} HTTP/1.1`, ...host, ...fields, '', ''].join('\r\n');
}

export async function ask(proxy: TestProxy, requests: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < requests.length; from += BATCH) {
    const batch = requests.slice(from, from + BATCH);
    const client = await proxy.send(batch.join(''));
    const methods = batch.map((request) => request.slice(0, request.indexOf(' ')));
    answers.push(...(await client.answers(batch.length, methods)));
    client.destroy();
  }
  return answers;
}

/** The names of those who answered, request by request. */
export async function whoAnswers(proxy: TestProxy, requests: readonly string[]): Promise<string[]> {
  return (await ask(proxy, requests)).map((answer) => (answer.status === 200 ? answer.body : String(answer.status)));
}

/** Who answered `count` times the same request, with how many. */
export async function sharesOf(
  proxy: TestProxy,
  count: number,
  request: string = get(),
): Promise<Record<string, number>> {
  return tally(await whoAnswers(proxy, Array(count).fill(request)));
}

export function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export const snapshotOf = (options: ProxyOptions, generation: number): Snapshot =>
  compileSnapshot(parseConfig(configText(options), 'test.yaml', {}), generation);

export function versionOf(snapshot: Snapshot, name: string): VersionSnapshot {
  return snapshot.services.flatMap((service) => service.versions).find((version) => version.name === name)!;
}

export function endpointOf(snapshot: Snapshot, upstream: RawUpstream): EndpointSnapshot {
  const all = snapshot.services.flatMap((service) => service.versions).flatMap((version) => version.endpoints);
  return all.find((endpoint) => endpoint.url === upstream.url)!;
}

/** What a proxy has counted of a version. */
export function counted(proxy: TestProxy, version: string, slot: keyof typeof VERSION_SLOTS): number {
  return proxy.plane.memory.own.counters[
    versionSlot(versionOf(proxy.plane.snapshot, version).id) + VERSION_SLOTS[slot]
  ]!;
}

/**
 * The image at work, as docker-compose.yaml puts it together: two versions and Sluice, each a container; requests, health checks, SIGTERM in
 * the middle of them, and a second start on the same volume.
 *
 * It is started by `image.ts` in a network namespace of its own, so that the ports are those of the files and nobody else's. Each
 * step that is not as it should be ends it with a message.
 */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { type Container, type Image, startContainer } from './container.ts';
import { lastOf } from './dockerfile.ts';

const [given = ''] = process.argv.slice(2);
const { context, scratch, image } = JSON.parse(readFileSync(given, 'utf8')) as {
  readonly context: string;
  readonly scratch: string;
  readonly image: Image;
};
const TOKEN = 'a-token-for-the-trial-of-the-image';
const ADMIN = 'http://127.0.0.1:9901';
const say = (line: string): void => console.log(line);
const all: Container[] = [];

try {
  await trial();
} finally {
  for (const { pid } of all) end(pid, 'SIGKILL');
  await Promise.all(all.map(({ exit }) => exit));
}

async function trial(): Promise<void> {
  const hosts = join(scratch, 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost\n127.0.0.2 v1\n127.0.0.3 v2\n');
  const data = newVolume('/var/lib/sluice');
  const upstreams = [
    await started({ args: ['demo', '--upstream', 'v1', '--listen', '127.0.0.2:3000'] }),
    await started({ args: ['demo', '--upstream', 'v2', '--listen', '127.0.0.3:3000'] }),
  ];
  const options = {
    env: { SLUICE_OPS_TOKEN: TOKEN },
    volumes: { '/etc/sluice': join(context, 'config/compose'), '/var/lib/sluice': data, '/etc/hosts': hosts },
  };
  const began = performance.now();
  const first = await started(options);
  await healthy(first);
  say(`healthy ${Math.round(performance.now() - began)} ms after its start, by the command of HEALTHCHECK`);
  await confined(first);
  say(`memory at rest: ${residentMemory(first.pid)} MiB resident`);

  assert.equal((await ask(`${ADMIN}/api/v1/services`)).status, 401, 'the API asks for a token');
  assert.equal((await ask(`${ADMIN}/metrics`)).status, 200, 'metrics are public');
  const weights = await fetch(`${ADMIN}/api/v1/services/shop/weights`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: '{"stable": 60, "canary": 40}',
  });
  assert.equal(weights.status, 200, 'weights can be changed with the token');
  await drained(first, false);

  const second = await started(options);
  await healthy(second);
  const kept = await fetch(`${ADMIN}/api/v1/services/shop/weights`, { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.deepEqual(((await kept.json()) as { weights: object }).weights, { v1: 60, v2: 40 });
  say('started again on the same volume: the weights are those that were set');
  await drained(second, true);
  for (const container of upstreams) {
    end(container.pid, 'SIGTERM');
    assert.equal(await container.exit, 0, container.log.join('\n'));
  }
  assert.deepEqual(readdirSync(data).sort(), ['lock', 'state.db']);
  say('the volume holds the state and nothing else');
}

async function started(options: Parameters<typeof startContainer>[1]): Promise<Container> {
  const container = await startContainer(image, options);
  all.push(container);
  return container;
}

/** As an engine makes one: owner and content are those of the folder in the image. */
function newVolume(path: string): string {
  const { uid, gid } = statSync(join(image.root, path));
  assert.equal(uid, 65532, `${path} belongs to the user`);
  const volume = join(scratch, 'volume');
  mkdirSync(volume);
  chownSync(volume, uid, gid);
  return volume;
}

async function healthy(container: Container): Promise<void> {
  const command = lastOf(image.stage, 'HEALTHCHECK')?.words ?? [];
  const end = performance.now() + 20_000;
  for (;;) {
    const { code, output } = await container.execute(command);
    if (code === 0) return;
    assert.equal(code, 1, `an engine knows 0 and 1: ${output}`);
    assert.ok(performance.now() < end, `not healthy: ${output}\n${container.log.join('\n')}`);
  }
}

async function confined(container: Container): Promise<void> {
  const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
  assert.match(status, /^Uid:\t65532\t65532\t65532\t65532$/m);
  assert.match(status, /^NSpid:\t\d+(\t\d+)*\t1$/m, 'PID 1 of its container');
  assert.match(status, /^CapEff:\t0+$/m);
  assert.match(status, /^NoNewPrivs:\t1$/m);
  const write = `try { fs.writeFileSync('/app/x', '') } catch (error) { console.log(error.code) }`;
  const { output } = await container.execute(['/usr/local/bin/node', '-e', write]);
  assert.equal(output.trim(), 'EROFS');
  say('runs as 65532, without capabilities, on a read-only root');
}

/**
 * Requests on new and on kept connections, fast and slow ones; SIGTERM in the middle of them.
 *
 * With `removed` nobody new comes from a moment before the signal on, which is what an orchestrator sees to that takes the container out of its
 * load balancer first; then nothing may be lost. Without it, the kernel resets connections that it had taken and that no worker had yet:
 * those are counted, and what a worker has taken must be answered all the same.
 */
async function drained(container: Container, removed: boolean): Promise<void> {
  const agents = [new Agent({ keepAlive: true, maxSockets: 16 }), new Agent({ keepAlive: false })];
  const seen = { answered: 0, refused: 0, resetInQueue: 0, idleClosed: 0 };
  const broken: string[] = [];
  let open = true;
  const client = async (index: number): Promise<void> => {
    const agent = agents[index % 2]!;
    while (open) {
      const path = index % 8 < 2 ? '/slow?ms=700' : '/';
      const { status, fault, reused } = await ask(`http://127.0.0.1:8080${path}`, agent);
      if (status === 200 && fault === null) seen.answered += 1;
      else if (fault === 'ECONNREFUSED') seen.refused += 1;
      else if (fault === 'ECONNRESET' && status === 0) seen[reused ? 'idleClosed' : 'resetInQueue'] += 1;
      else broken.push(`${path} ${status} ${fault}`);
      if (fault !== null) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const clients = Array.from({ length: 32 }, (_, index) => client(index));
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  if (removed) {
    open = false;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const began = performance.now();
  end(container.pid, 'SIGTERM');
  const code = await container.exit;
  const took = Math.round(performance.now() - began);
  open = false;
  await Promise.all(clients);
  for (const agent of agents) agent.destroy();
  const { answered, refused, resetInQueue, idleClosed } = seen;
  assert.equal(code, 0, container.log.join('\n'));
  assert.deepEqual(broken, []);
  if (removed) assert.deepEqual({ refused, resetInQueue, idleClosed }, { refused: 0, resetInQueue: 0, idleClosed: 0 });
  else assert.ok(refused > 0, 'what came after SIGTERM was refused');
  say(
    `SIGTERM under load, ${removed ? 'out of the load balancer before' : 'clients go on'}: exit code 0 after ${took} ms; ${answered} answered, ` +
      `0 cut, ${refused} refused, ${resetInQueue} reset before they were accepted, ${idleClosed} on a kept connection just closed`,
  );
}

interface Asked {
  readonly status: number;
  readonly fault: string | null;
  readonly reused: boolean;
}

function ask(url: string, agent: Agent | false = false): Promise<Asked> {
  return new Promise((resolve) => {
    const request = get(url, { agent }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, fault: null, reused: request.reusedSocket }),
      );
      response.on('error', failed);
    });
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve({ status: 0, fault: error.code ?? error.message, reused: request.reusedSocket });
    request.on('error', failed);
  });
}

function residentMemory(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

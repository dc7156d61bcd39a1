/**
 * A Prometheus of the test's own: its configuration and data in a folder that goes with it, on a free port, asked over its HTTP API.
 *
 * Prometheus cannot be asked for a free port, so one is taken from the kernel and given back first; the start is tried again should
 * somebody else have got it in between. It is ready when it says so; until then it is asked.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { plainEnvironment, programPath } from './commands.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Target {
  readonly job: string;
  readonly health: string;
  readonly lastError: string;
}

export interface Prometheus {
  /** @throws Error where the query is not valid. */
  query(expression: string): Promise<readonly Sample[]>;
  targets(): Promise<readonly Target[]>;
}

export async function startPrometheus(t: Test, config: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'prometheus.yml'), config);
  let problem = '';
  for (let attempt = 0; attempt < 3; attempt++) {
    const port = await freePort();
    const child = spawn(
      programPath('prometheus') ?? 'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, `data-${attempt}`)}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { env: plainEnvironment(), stdio: ['ignore', 'ignore', 'pipe'], cwd: folder },
    );
    child.stderr.on('data', (chunk: Buffer) => {
      problem += chunk.toString();
    });
    let running = true;
    const exit = new Promise<void>((resolve) => {
      child.on('close', () => {
        running = false;
        resolve();
      });
    });
    const url = `http://127.0.0.1:${port}`;
    while (running && !(await isReady(url))) await pause(20);
    if (!running) continue;
    t.teardown(async () => {
      child.kill('SIGKILL');
      await exit;
    });
    return new HttpApi(url);
  }
  throw new Error(`prometheus does not start: ${problem}`);
}

class HttpApi implements Prometheus {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async query(expression: string): Promise<readonly Sample[]> {
    const { result } = (await this.#get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async targets(): Promise<readonly Target[]> {
    const { activeTargets } = (await this.#get('/api/v1/targets')) as {
      activeTargets: { labels: { job: string }; health: string; lastError: string }[];
    };
    return activeTargets.map(({ labels, health, lastError }) => ({ job: labels.job, health, lastError }));
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(this.#url + path);
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/-/ready`);
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

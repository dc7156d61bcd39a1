/**
 * A Prometheus of the test's own: its configuration and data in a folder that goes with it, on a free port, asked over its HTTP API.
 *
 * It cannot be asked for a free port; see server-program.ts. It is ready when it says so; until then it is asked.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startProgram } from './server-program.ts';

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
  const port = await startProgram(t, {
    ...{ name: 'prometheus', folder, signal: 'SIGKILL' },
    argumentsFor: (port, attempt) => [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, `data-${attempt}`)}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    isReady: (port) => isReady(`http://127.0.0.1:${port}`),
  });
  return new HttpApi(`http://127.0.0.1:${port}`);
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

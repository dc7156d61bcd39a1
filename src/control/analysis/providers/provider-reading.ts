/**
 * One metric of one version from one provider, read again and again.
 *
 *     due ─▶ ask ─▶ value ─▶ kept, due again after `every`
 *              └─▶ fault ─▶ pause, ask again, `retries` times ─▶ kept as the fault, due again after `every`
 *
 * A reading that fails does not take the last value away at once, or a single lost packet would hold a step: it is used up to LASTS intervals
 * after it was read. From then on the reading is an error, which is never a value and passes or fails nothing. An answer that has no data is an
 * answer, and takes the place of the value before it.
 *
 * The provider's configuration and its token are looked up at each reading, so that a reload and a renewed token are in effect with the next
 * one. A reading that takes longer than the interval is not overtaken by another. Faults name no address, since addresses may have secrets in
 * them.
 */
import type { MetricProviderConfig } from '../../../model/rollout-config.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Random } from '../../../runtime/random.ts';
import { retryPause } from '../../notify/retry-pause.ts';
import { readSecret } from '../../secret-reference.ts';
import type { MetricValue } from '../verdict.ts';
import { type Answer, harmless } from './answer.ts';
import { httpAddress, httpHeaders, httpValue } from './http-json.ts';
import { prometheusAddress, prometheusValue } from './prometheus.ts';
import type { ProviderClient } from './provider-client.ts';
import type { Placeholders } from './template.ts';

/** Intervals for which a value is used. */
export const LASTS = 3;

export interface ReadingOptions {
  /** Null where the configuration does not have it any more. */
  readonly config: () => MetricProviderConfig | null;
  readonly placeholders: () => Placeholders;
  readonly client: Pick<ProviderClient, 'get'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly env: NodeJS.ProcessEnv;
}

const GONE = 'the configuration has no metric of this name any more';
const NOT_YET = 'it has not been read yet';

export class ProviderReading {
  readonly #options: ReadingOptions;
  readonly #ending = new AbortController();
  #running = false;
  #dueAt = Number.NEGATIVE_INFINITY;
  #good: { readonly value: number | null; readonly at: number } | null = null;
  #fault: string | null = null;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /** Asks where it is time to. */
  tick(): void {
    const config = this.#options.config();
    const now = this.#options.clock.now();
    if (config === null || this.#running || this.#ending.signal.aborted || now < this.#dueAt) return;
    this.#dueAt = now + config.every;
    void this.#run(config);
  }

  read(): MetricValue {
    const config = this.#options.config();
    if (config === null) return { value: null, samples: 0, error: GONE };
    const age = this.#good === null ? null : this.#options.clock.now() - this.#good.at;
    if (age !== null && age <= LASTS * config.every) {
      const { value } = this.#good!;
      if (value !== null) return { value, samples: 1, error: null };
      return { value, samples: 0, error: null, note: 'there is no data' };
    }
    if (this.#fault !== null) return { value: null, samples: 0, error: this.#fault };
    if (age === null) return { value: null, samples: 0, error: null, note: NOT_YET };
    return { value: null, samples: 0, error: `it was read last ${Math.round(age / 1_000)} s ago` };
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#ending.abort();
  }

  async #run(config: MetricProviderConfig): Promise<void> {
    this.#running = true;
    try {
      let answer = await this.#ask(config);
      for (let tries = 1; tries <= config.retries && 'fault' in answer && answer.again; tries++) {
        await this.#pause(retryPause(tries, this.#options.random, null, 0));
        if (this.#ending.signal.aborted) return;
        answer = await this.#ask(config);
      }
      this.#keep(answer);
    } finally {
      this.#running = false;
    }
  }

  #keep(answer: Answer): void {
    this.#fault = 'fault' in answer ? answer.fault : null;
    if ('value' in answer) this.#good = { value: answer.value, at: this.#options.clock.now() };
  }

  async #ask({ source, timeout, token }: MetricProviderConfig): Promise<Answer> {
    const { client, placeholders, env } = this.#options;
    try {
      const values = placeholders();
      const isPrometheus = source.kind === 'prometheus';
      const address = isPrometheus ? prometheusAddress(source, values) : httpAddress(source, values);
      const headers = isPrometheus ? {} : httpHeaders(source, values);
      if (token !== null) headers.authorization = `Bearer ${readSecret(token, env)}`;
      const reply = await client.get({ address, headers, timeout, signal: this.#ending.signal });
      if ('fault' in reply) return { fault: harmless(reply.fault), again: true };
      const { status, body } = reply;
      return isPrometheus ? prometheusValue(status, body) : httpValue(source, values, status, body);
    } catch (error) {
      return { fault: harmless((error as Error).message), again: false };
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      const end = (): void => {
        timer.stop();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#options.clock.setInterval(end, ms);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
    });
  }
}

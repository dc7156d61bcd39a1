/**
 * The thread that a configuration text is checked in, one for each; see text-checker.ts.
 *
 * It says that it is there, so that the time limit is of the check and not of the start, then what the text holds or every fault in it. The first
 * check of a thread compiles the schema, which belongs to the start, so there is one before.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type ConfigContents, contentsOf } from '../config/contents.ts';
import type { Environment } from '../config/environment.ts';
import { ConfigError, type ConfigProblem } from '../config/faults.ts';
import { type ConfigText, parseConfigTexts } from '../config/load.ts';

/** Plain data. */
export interface TextToCheck extends ConfigText {
  readonly env: Environment;
}

export type FromCheck =
  | { readonly type: 'started' }
  | { readonly type: 'good'; readonly contents: ConfigContents }
  | { readonly type: 'faulty'; readonly problems: readonly ConfigProblem[] };

const say = (message: FromCheck): void => parentPort?.postMessage(message);

function check({ env, ...text }: TextToCheck): FromCheck {
  try {
    return { type: 'good', contents: contentsOf(parseConfigTexts([text], env).config) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { type: 'faulty', problems: error.problems };
  }
}

check({ text: '{}', file: '', env: {} });
say({ type: 'started' });
say(check(workerData as TextToCheck));

/** Where the configuration comes from, so that it can be read again: files, or the text of a demo. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ConfigContents } from '../config/contents.ts';
import { type Environment, secretVariablesIn, variablesIn } from '../config/environment.ts';
import { type LoadedConfig, loadConfigFiles, parseConfigTexts } from '../config/load.ts';
import { TextChecker } from './text-checker.ts';

export interface ConfigSource {
  /** @throws ConfigError */
  load(): LoadedConfig;
  /**
   * Checks a text that lies where the first file does.
   *
   * @param named files that the running configuration reads secrets and certificates from; no other is opened, nor looked for.
   * @throws ConfigError, whose faults are in `request`; OperationError busy
   */
  check(text: string, named: readonly string[]): Promise<ConfigContents>;
}

/** @param paths later files are laid over earlier ones. */
export function fileSource(paths: readonly string[], env: Environment): ConfigSource {
  const checker = new TextChecker();
  const directory = dirname(resolve(paths[0]!));
  return {
    load: () => loadConfigFiles(paths, env),
    check(text, named) {
      const written = paths.map(readOrNothing);
      const variables = new Set(written.flatMap(variablesIn));
      const known = [...variables, ...written.flatMap(secretVariablesIn)];
      return checker.check({
        ...{ text, file: 'request', directory, variables, readable: new Set(named) },
        // What the files name is part of the configuration, which whoever may check one may see; of the rest not even whether it is set.
        env: Object.fromEntries(known.flatMap((name) => (Object.hasOwn(env, name) ? [[name, env[name]]] : []))),
      });
    },
  };
}

/** Without the file nothing of it may be read. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Nothing is kept over a restart, since there is no file that a state could lie beside. @param name what faults call it. */
export function textSource(text: string, name: string): ConfigSource {
  const checker = new TextChecker();
  return {
    load: () => ({
      config: { ...parseConfigTexts([{ text, file: name }], {}).config, data: null },
      files: [],
      dependencies: [],
    }),
    check: (written, named) => checker.check({ text: written, file: name, env: {}, readable: new Set(named) }),
  };
}

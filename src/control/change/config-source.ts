/** Where the configuration comes from, so that it can be read again: files, or the text of a demo. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { SluiceConfig } from '../../model/config.ts';
import { type Environment, variablesIn } from '../config/environment.ts';
import { type LoadedConfig, loadConfigFiles, parseConfigTexts } from '../config/load.ts';

export interface ConfigSource {
  /** @throws ConfigError */
  load(): LoadedConfig;
  /** Checks a text that lies where the first file does. @throws ConfigError, whose faults are in `request` */
  check(text: string): SluiceConfig;
}

/** @param paths later files are laid over earlier ones. */
export const fileSource = (paths: readonly string[], env: Environment): ConfigSource => ({
  load: () => loadConfigFiles(paths, env),
  check: (text) =>
    parseConfigTexts(
      [{ text, file: 'request', directory: dirname(resolve(paths[0]!)), variables: variablesOf(paths) }],
      env,
    ).config,
});

/** Variables that the files name: what these hold is part of the configuration, which whoever may check one may see. */
function variablesOf(paths: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const path of paths) {
    try {
      for (const name of variablesIn(readFileSync(path, 'utf8'))) names.add(name);
    } catch {
      // Without the file nothing of it may be read.
    }
  }
  return names;
}

/** Nothing is kept over a restart, since there is no file that a state could lie beside. @param name what faults call it. */
export function textSource(text: string, name: string): ConfigSource {
  const read = (written: string): SluiceConfig => ({
    ...parseConfigTexts([{ text: written, file: name }], {}).config,
    data: null,
  });
  return { load: () => ({ config: read(text), files: [], dependencies: [] }), check: read };
}

/**
 * A secret that is named by its source and read when it is used.
 *
 * What a rollout does outside may happen hours after it was started, from a copy of its strategy that lies in the store. A value kept that long
 * would be on disk, and it would be the old one after the secret was changed. So only `env:NAME` or `file:/path` is kept, and each use reads
 * anew. That the source could be read was checked when the configuration was; that it cannot be now is an error of whoever uses it, never of
 * the process. The alternative, config/resolve-secret.ts, reads once and reports faults with their place in a file; there is no file here.
 *
 * No message repeats a value, nor a reference that is none, since that may be a secret in the wrong place. Only regular files of up to 64 KiB
 * are read: a pipe or a device would hold up the whole control plane.
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';

const LARGEST = 64 * 1024;

/**
 * @param reference `env:NAME` or `file:/absolute/path`.
 * @returns the value, of a file without the line end behind it; never empty.
 * @throws Error that says what is wrong with the source.
 */
export function readSecret(reference: string, env: NodeJS.ProcessEnv): string {
  const [, from, name = ''] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  if (from === 'env') return fromVariable(name, env);
  if (from === 'file' && isAbsolute(name)) return fromFile(name);
  throw new Error(
    'a secret must be named as env:NAME or file:/absolute/path; it is not shown here, as it may be a secret',
  );
}

function fromVariable(name: string, env: NodeJS.ProcessEnv): string {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined && value !== '') return value;
  const state = value === undefined ? 'is not set' : 'is empty';
  throw new Error(`the environment variable ${name} ${state}; set it and start Sluice again`);
}

function fromFile(file: string): string {
  const value = contentOf(file).replace(/[\r\n]+$/, '');
  if (value === '') throw new Error(`the secret file ${file} is empty; write the secret into it`);
  return value;
}

function contentOf(file: string): string {
  try {
    const facts = statSync(file);
    if (facts.isFile() && facts.size <= LARGEST) return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`the secret file ${file} cannot be read: ${code === 'ENOENT' ? 'it is not there' : code}`);
  }
  throw new Error(`the secret file ${file} is no regular file of at most ${LARGEST} bytes`);
}

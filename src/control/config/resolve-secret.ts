/**
 * Secrets: where the configuration says that they are, never what they are.
 *
 * A secret written into the configuration would end in version control, in backups and in `GET /api/v1/config`, so there is no way to write
 * one. For the same reason no message here repeats what was written in the place of a source: whoever pastes a secret there, or writes
 * `env: ${TOKEN}` where `env: TOKEN` is meant, would read it in a log.
 */
import { Secret } from '../../model/secret.ts';
import type { ConfigPath } from './faults.ts';
import type { RawSecret } from './raw-admin.ts';
import type { Review } from './review.ts';
import type { Surroundings } from './surroundings.ts';

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

interface Source {
  readonly from: 'env' | 'file';
  readonly name: string;
  /** Where it is written. */
  readonly at: ConfigPath;
}

/** Call where the part at `path` is sound. Null where a fault has been reported. */
export function resolveSecret(
  raw: RawSecret,
  path: ConfigPath,
  review: Review,
  surroundings: Surroundings,
): Secret | null {
  const source = typeof raw === 'string' ? readReference(raw, path) : readSources(raw, path);
  if ('fault' in source) {
    review.report(path, source.fault);
    return null;
  }
  return source.from === 'env' ? fromVariable(source, review, surroundings) : fromFile(source, review, surroundings);
}

function readReference(written: string, at: ConfigPath): Source | { readonly fault: string } {
  const [, from, name = ''] = /^(env|file):(.+)$/s.exec(written) ?? [];
  if (from === 'file' || (from === 'env' && ENV_NAME.test(name))) return { from, name, at };
  return { fault: 'must say where the secret is, env:NAME or file:PATH; it is not shown here, as it may be a secret' };
}

function readSources(raw: Exclude<RawSecret, string>, path: ConfigPath): Source | { readonly fault: string } {
  const { env, file } = raw;
  if (env !== undefined && file === undefined) return { from: 'env', name: env, at: [...path, 'env'] };
  if (file !== undefined && env === undefined) return { from: 'file', name: file, at: [...path, 'file'] };
  return { fault: `must have exactly one of env and file, not ${env === undefined ? 'none' : 'both'}` };
}

function fromVariable({ name, at }: Source, review: Review, { env }: Surroundings): Secret | null {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined && value !== '') return new Secret(`env:${name}`, value);
  const state = value === undefined ? 'is not set' : 'is empty';
  review.report(at, `the environment variable of this name ${state}; set it before Sluice starts`);
  return null;
}

function fromFile({ name, at }: Source, review: Review, surroundings: Surroundings): Secret | null {
  const file = surroundings.pathOf(name, at);
  const content = surroundings.read(file);
  const value = 'ok' in content ? withoutLineEnd(content.ok) : '';
  if (value !== '') return new Secret(`file:${file}`, value);
  review.report(at, 'ok' in content ? `${file} is empty; write the secret into it` : content.fault);
  return null;
}

/** Editors and `echo` put a line end behind what was typed. */
function withoutLineEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--;
  return text.slice(0, end);
}

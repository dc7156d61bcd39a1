/**
 * Where the server is and who is calling: from options, then from the environment, then the defaults.
 *
 * The token is never an option itself, because the arguments of a process are readable by every user of the machine. It is held as a {@link Secret},
 * which nothing prints.
 */
import { readFileSync } from 'node:fs';
import type { Environment } from '../../control/config/environment.ts';
import { parseDuration } from '../../control/config/units.ts';
import { Secret } from '../../model/secret.ts';
import { UsageError } from '../command.ts';
import type { OptionTable, OptionValues } from '../command-description.ts';
import { CommandFailure, EXIT } from './failure.ts';

const DEFAULT_ADDRESS = 'http://127.0.0.1:9901';
const DEFAULT_TIMEOUT = '10s';

/** Options of every command that talks to a server. */
export const CONNECTION_OPTIONS = {
  json: { about: 'the answer of the admin API as JSON' },
  admin: { value: 'URL', about: `address of the admin API; default SLUICE_ADMIN, else ${DEFAULT_ADDRESS}` },
  'token-file': { value: 'FILE', about: 'file that holds the token; default the token in SLUICE_TOKEN' },
  cacert: { value: 'FILE', about: 'certificate authorities (PEM) to believe besides those that Node knows' },
  timeout: { value: 'TIME', about: `longest wait for an answer; default ${DEFAULT_TIMEOUT}` },
} as const satisfies OptionTable;

export interface Connection {
  /** No slash at the end. */
  readonly address: string;
  readonly token: Secret | null;
  /** PEM. */
  readonly certificates: string | null;
  /** Milliseconds. */
  readonly timeout: number;
}

export function readConnection(options: OptionValues<typeof CONNECTION_OPTIONS>, env: Environment): Connection {
  const timeout = parseDuration(options.timeout ?? DEFAULT_TIMEOUT);
  if (timeout === null || timeout === 0) {
    throw new UsageError(`--timeout must be a time such as 500ms or 10s, not ${JSON.stringify(options.timeout)}`);
  }
  return {
    address: addressOf(options.admin ?? (env.SLUICE_ADMIN || DEFAULT_ADDRESS)),
    token: readToken(options['token-file'], env.SLUICE_TOKEN),
    certificates: options.cacert === undefined ? null : readText(options.cacert, '--cacert'),
    timeout,
  };
}

function addressOf(text: string): string {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError(
      'the address of the admin API must be such as http://127.0.0.1:9901, without a user or a query',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function readToken(file: string | undefined, inherited: string | undefined): Secret | null {
  const text = file === undefined ? inherited : readText(file, '--token-file');
  const source = file === undefined ? 'SLUICE_TOKEN' : file;
  const token = text?.trim() ?? '';
  if (token === '') {
    if (file !== undefined) throw new UsageError(`${file} is empty; it must hold a token`);
    return null;
  }
  // Said without the text, which may be all but a token.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UsageError(`${source} holds no token: it has blanks or other odd characters`);
  return new Secret(source, token);
}

function readText(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    const reason = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : String(code);
    throw new CommandFailure(EXIT.misused, `${option}: cannot read ${file}: ${reason}`);
  }
}

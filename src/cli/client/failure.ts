/**
 * Why a command of the client could not be done, and the exit code that says so to a script.
 *
 *     0 done   1 could not be done   2 wrongly called   3 no server answers   4 refused (401, 403)   5 changed meanwhile or in conflict (409, 412)
 *     6 waited for in vain (--wait with --timeout)   130 interrupted while it waited, as shells have it for Ctrl-C
 *
 * A refusal of the server is a problem document (RFC 9457): its detail is the first line, each fault one more. Faults of configuration files
 * begin with `file:line:column:`, which editors and terminals make clickable. Whatever came from the server is stripped of control
 * characters: a reason that somebody typed must not be able to move the cursor of somebody else's terminal.
 */
import { printable } from './printable.ts';

export const EXIT = {
  failed: 1,
  misused: 2,
  unreachable: 3,
  refused: 4,
  conflict: 5,
  timedOut: 6,
  interrupted: 130,
} as const;

export type FailureCode = (typeof EXIT)[keyof typeof EXIT];

/** What the exit codes mean, for the help of every command that talks to a server. */
export const EXIT_TEXT =
  '0 done, 1 could not be done, 2 wrong usage, 3 no server answers, 4 refused, 5 changed meanwhile or in conflict.';

export class CommandFailure extends Error {
  readonly exitCode: FailureCode;
  /** Lines below the message. */
  readonly notes: readonly string[];
  /** What the server answered, for `--json`. */
  readonly answer: unknown;

  constructor(exitCode: FailureCode, message: string, notes: readonly string[] = [], answer: unknown = null) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
    this.notes = notes;
    this.answer = answer;
  }
}

interface Problem {
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly errors?: unknown;
  /** Of `changed_meanwhile`: the weights as they are. */
  readonly present?: { readonly weights?: unknown; readonly etag?: unknown };
}

/** Of FieldFault, before anybody has looked at it. */
type Fault = Readonly<Record<string, unknown>>;

/** @param body what came with it, parsed; a problem document, or anything else where the answer is not of Sluice. */
export function refusal(status: number, body: unknown, retryAfter: string | undefined): CommandFailure {
  const problem: Problem = typeof body === 'object' && body !== null ? body : {};
  const said = [problem.detail, problem.title].find((text) => typeof text === 'string' && text !== '');
  const message = said === undefined ? `the server answered with status ${status}` : printable(String(said));
  const faults = Array.isArray(problem.errors) ? problem.errors.map(Object) : [];
  const notes = faults.filter((fault: Fault) => fault.file !== undefined || fault.message !== said).map(faultLine);
  if (typeof problem.present?.etag === 'string') notes.push(presentLine(problem.present));
  if (status === 401) notes.push('Give a token with --token-file FILE or in SLUICE_TOKEN.');
  if (retryAfter !== undefined && /^[0-9]{1,6}$/.test(retryAfter)) notes.push(`Try again in ${retryAfter} s.`);
  return new CommandFailure(exitCodeOf(status), message, notes, body);
}

function presentLine({ weights, etag }: NonNullable<Problem['present']>): string {
  const shares = Object.entries(Object(weights)).map(([version, weight]) => `${version}=${weight}`);
  return printable(`  now: ${shares.join(' ')}, etag ${etag}`);
}

function exitCodeOf(status: number): FailureCode {
  if (status === 401 || status === 403) return EXIT.refused;
  if (status === 409 || status === 412) return EXIT.conflict;
  return EXIT.failed;
}

function faultLine({ field, message, file, line, column }: Fault): string {
  const said = [field, message].filter((text) => typeof text === 'string' && text !== '').join(': ');
  if (typeof file !== 'string') return `  ${printable(said)}`;
  const place = typeof line === 'number' && line > 0 ? `${file}:${line}:${column ?? 1}` : file;
  return printable(`${place}: ${said}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name server does not answer',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no way to that network',
  ETIMEDOUT: 'timed out',
  UND_ERR_CONNECT_TIMEOUT: 'timed out',
  UND_ERR_HEADERS_TIMEOUT: 'timed out',
  UND_ERR_BODY_TIMEOUT: 'timed out',
  UND_ERR_SOCKET: 'connection closed',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in the chain',
};

/** Whether the time for a whole answer was up. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

/** A call that got no answer. @param address what was called */
export function unreachable(address: string, error: unknown): CommandFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = isTimeout(error)
    ? 'timed out'
    : (REASONS[code] ?? printable(error instanceof Error && error.message !== '' ? error.message : code));
  const notes = /CERT|SIGNED|ISSUER|ALTNAME/.test(code)
    ? ['Name the certificate authority with --cacert FILE, and the server by the name in its certificate.']
    : [
        'Start one: sluice run -c sluice.yaml, with "admin: {}" in the file; npm start runs the demo.',
        'Another address is named with --admin URL or in SLUICE_ADMIN.',
        ...(code === 'UND_ERR_SOCKET' && address.startsWith('http:')
          ? ['If its admin API has TLS, the address begins with https://.']
          : []),
      ];
  return new CommandFailure(EXIT.unreachable, `no server answers at ${address} (${reason})`, notes);
}

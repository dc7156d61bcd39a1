/**
 * The registry of everything that an operation can be refused for: one row per kind, with its HTTP status and title.
 *
 * Operations throw an {@link OperationError} that names a row and says in a sentence what was wrong and how to mend it; the admin API makes
 * problem+json (RFC 9457) of it, the CLI a line and an exit code. `docs/admin-api.md` lists the same rows; a test holds the two
 * together.
 */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not what this call takes' },
  unauthenticated: { status: 401, title: 'A bearer token is needed' },
  forbidden: { status: 403, title: 'The token’s role does not allow this' },
  foreign_origin: { status: 403, title: 'A web page of another origin may not call this API' },
  not_found: { status: 404, title: 'There is no such thing' },
  not_allowed: { status: 405, title: 'This address takes other methods' },
  conflict: { status: 409, title: 'That does not go together with the present state' },
  changed_meanwhile: { status: 412, title: 'It has been changed by somebody else meanwhile' },
  too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  misdirected: { status: 421, title: 'The Host field names another server' },
  config_invalid: { status: 422, title: 'The configuration has faults' },
  too_many_failures: { status: 429, title: 'Too many attempts with a wrong token' },
  internal: { status: 500, title: 'Sluice has made a mistake' },
  busy: { status: 503, title: 'As many as may be are there already' },
  draining: { status: 503, title: 'Sluice is shutting down' },
  not_acknowledged: { status: 503, title: 'Not every worker has taken the change up' },
  store_unavailable: { status: 503, title: 'The state cannot be written' },
  store_full: { status: 507, title: 'There is no space left for the state' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One fault of the input. */
export interface FieldFault {
  /** JSON pointer into the body (RFC 6901), `query:NAME` or `path:NAME`; for configuration files their own path. */
  readonly field: string;
  /** What is wrong and how to mend it. */
  readonly message: string;
  /** Of configuration files. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export class OperationError extends Error {
  readonly code: ProblemCode;
  readonly faults: readonly FieldFault[];
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | null;

  constructor(
    code: ProblemCode,
    message: string,
    faults: readonly FieldFault[] = [],
    retryAfter: number | null = null,
  ) {
    super(message);
    this.name = 'OperationError';
    this.code = code;
    this.faults = faults;
    this.retryAfter = retryAfter;
  }
}

/**
 * A state that cannot be used as it is, and what to do about it: damaged, not ours, newer than the program. Nothing is ever repaired or
 * created anew over it, because runtime weights and an audit trail that vanish silently are worse than a server that does not start.
 */
export class StateFileError extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.name = 'StateFileError';
    this.path = path;
  }
}

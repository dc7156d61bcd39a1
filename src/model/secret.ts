/**
 * A secret and where it came from. The value is held where neither JSON, logs nor the inspector find it: whatever prints a configuration
 * prints the source.
 */
export class Secret {
  /** `env:NAME` or `file:/absolute/path`. */
  readonly source: string;
  readonly #value: string;

  constructor(source: string, value: string) {
    this.source = source;
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return this.source;
  }

  toString(): string {
    return this.source;
  }
}

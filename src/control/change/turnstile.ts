/** Lets one task through at a time, in the order in which they came; one that fails does not stop those behind it. */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Resolves when everything that came before has been through. */
  async empty(): Promise<void> {
    await this.#last;
  }
}

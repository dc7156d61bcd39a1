/**
 * A set of paths that knows at once whether one of them lies on the way to another, or below it.
 *
 * A file may have as many faults as lines, and every check of meaning asks whether its part is among them; a list of paths made that
 * quadratic. The empty path lies on the way to every other.
 */
import type { ConfigPath } from './faults.ts';

class Branch {
  readonly below = new Map<string | number, Branch>();
  isMember = false;
}

export class PathTree {
  readonly #root = new Branch();

  add(path: ConfigPath): void {
    let branch = this.#root;
    for (const step of path) {
      const next = branch.below.get(step) ?? new Branch();
      branch.below.set(step, next);
      branch = next;
    }
    branch.isMember = true;
  }

  /** Whether `path` or a part of the way to it is in the set. */
  leadsTo(path: ConfigPath): boolean {
    return this.#walk(path).isPassed;
  }

  /** The same, or something below `path` is. */
  touches(path: ConfigPath): boolean {
    const { isPassed, end } = this.#walk(path);
    return isPassed || end !== null;
  }

  #walk(path: ConfigPath): { readonly isPassed: boolean; readonly end: Branch | null } {
    let branch = this.#root;
    for (const step of path) {
      if (branch.isMember) return { isPassed: true, end: branch };
      const next = branch.below.get(step);
      if (next === undefined) return { isPassed: false, end: null };
      branch = next;
    }
    // A branch that leads nowhere is not grown, so one that is there leads to a member.
    return { isPassed: branch.isMember, end: branch };
  }
}

/**
 * The way from a path to the file behind it: every place where a rename or a link set anew would lead to another file.
 *
 * Kubernetes mounts a ConfigMap as `sluice.yaml → ..data/sluice.yaml`, `..data → ..2024_05_01`, and updates it by renaming a new `..data`
 * over the old one: neither the file nor its link is touched. So what is watched is not a file but names in directories: that of the file
 * itself wherever it is found, and that of each link on the way. Links are followed by hand, since `realpath` gives only the end of the way.
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, parse, resolve, sep } from 'node:path';

/** As many links in a row as Linux follows. */
const MOST_LINKS = 40;

/** Names to watch, by directory. A way that ends early (no such file, a loop) is given as far as it goes. */
export type LinkTrail = ReadonlyMap<string, ReadonlySet<string>>;

/** @param files absolute paths. */
export function linkTrail(files: readonly string[]): LinkTrail {
  const trail = new Map<string, Set<string>>();
  const add = (path: string): void => {
    const names = trail.get(dirname(path)) ?? new Set();
    names.add(basename(path));
    trail.set(dirname(path), names);
  };
  for (const file of files) {
    add(file);
    followLinks(file, add);
  }
  return trail;
}

function followLinks(file: string, found: (path: string) => void): void {
  let links = 0;
  let reached = parse(file).root;
  let ahead = stepsOf(file);
  while (ahead.length > 0) {
    const [step = '', ...rest] = ahead;
    const path = join(reached, step);
    const target = linkTarget(path);
    if (target === null) {
      reached = path;
      ahead = rest;
      continue;
    }
    if (++links > MOST_LINKS) return;
    found(path);
    const absolute = resolve(reached, target);
    reached = parse(absolute).root;
    ahead = [...stepsOf(absolute), ...rest];
  }
  found(reached);
}

const stepsOf = (path: string): string[] =>
  path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((step) => step !== '');

/** Null where the path is no link, or is not there. */
function linkTarget(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}

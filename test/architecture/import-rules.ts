/**
 * Who may import whom.
 *
 * The data plane (`proxy`) and the control plane (`control`) know nothing of each other and meet in `model` and in shared memory; a
 * worker that the control plane starts by URL is not an import. Types count like values: a layer that needs another layer's
 * types is coupled to it all the same. A file that stands in no known layer is a violation itself, so that a new folder in `src` must
 * be given its place here first.
 */
import type { ParsedFile, Violation } from './source-tree.ts';
import { violation } from './source-tree.ts';

/** What a layer may import besides itself. */
interface Allowance {
  readonly layers: readonly string[];
  readonly node: boolean;
  readonly packages: boolean;
}

const LAYERS: Readonly<Record<string, Allowance>> = {
  model: { layers: [], node: false, packages: false },
  runtime: { layers: ['model'], node: true, packages: false },
  proxy: { layers: ['model', 'runtime'], node: true, packages: true },
  control: { layers: ['model', 'runtime'], node: true, packages: true },
  dashboard: { layers: ['model'], node: false, packages: true },
  cli: { layers: ['control', 'runtime', 'model'], node: true, packages: true },
  main: { layers: ['cli', 'runtime', 'model'], node: true, packages: true },
};

/** `src/proxy/http1/head.ts` is in `proxy`; `src/main.ts` is a layer of its own. */
const layerOf = (path: string): string | null =>
  /^src\/(?:([a-z0-9-]+)\/|(main)\.ts$)/.exec(path)?.slice(1).find(Boolean) ?? null;

export function layerViolations(files: readonly ParsedFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    if (!file.path.startsWith('src/')) continue;
    const layer = layerOf(file.path) ?? '';
    const allowed = LAYERS[layer];
    if (allowed === undefined) {
      found.push(violation(file, 1, 'is in no known layer of src'));
      continue;
    }
    for (const { specifier, target, line } of file.imports) {
      if (target === null) {
        const isNode = specifier.startsWith('node:');
        if (!(isNode ? allowed.node : allowed.packages))
          found.push(violation(file, line, `${layer} imports ${specifier}`));
        continue;
      }
      const other = layerOf(target);
      if (other === null || (other !== layer && !allowed.layers.includes(other))) {
        found.push(violation(file, line, `${layer} imports ${target}`));
      }
    }
  }
  return found;
}

/**
 * The released program has only the packages under `dependencies`: a file of src that imports another would work in this tree and nowhere else.
 * The dashboard is released as a bundle, which has what it imports inside.
 */
export function packageViolations(
  files: readonly ParsedFile[],
  dependencies: readonly string[],
  bundled: readonly string[],
): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    if (!file.path.startsWith('src/')) continue;
    for (const { specifier, target, line } of file.imports) {
      if (target !== null || specifier.startsWith('node:')) continue;
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      const known = layerOf(file.path) === 'dashboard' ? bundled : dependencies;
      if (!known.includes(name))
        found.push(violation(file, line, `${specifier} is not a dependency (Node's own modules are written node:)`));
    }
  }
  return found;
}

/** An import of a file that is not there; the compiler says so too, but a cycle search must not rest on a wrong graph. */
export function missingViolations(files: readonly ParsedFile[]): Violation[] {
  const paths = new Set(files.map((file) => file.path));
  return files.flatMap((file) =>
    file.imports
      .filter(({ target }) => target !== null && !paths.has(target) && !target.endsWith('.json'))
      .map(({ specifier, line }) => violation(file, line, `imports ${specifier}, which does not exist`)),
  );
}

/** Depth first search; each cycle is reported once, at the import that closes it. */
export function cycleViolations(files: readonly ParsedFile[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found: Violation[] = [];
  const done = new Set<string>();
  const stack: string[] = [];
  const visit = (file: ParsedFile): void => {
    stack.push(file.path);
    for (const { target, line } of file.imports) {
      if (target === null || done.has(target)) continue;
      const start = stack.indexOf(target);
      const next = byPath.get(target);
      if (start >= 0)
        found.push(violation(file, line, `closes the cycle ${[...stack.slice(start), target].join(' → ')}`));
      else if (next !== undefined) visit(next);
    }
    stack.pop();
    done.add(file.path);
  };
  for (const file of files) if (!done.has(file.path)) visit(file);
  return found;
}

/**
 * A set of TypeScript files, parsed, for the architecture rules to look at.
 *
 * The rules see syntax trees and never text, so that a word in a comment or a string is not mistaken for code. The trees come from
 * the compiler itself: its programming interface is still called unstable, which the exact version in package-lock.json makes
 * harmless, and everything that touches it is in this folder. The files are handed over in memory, with neither library nor module
 * resolution, so that the real tree and a three-line bad sample take the same road and a parse takes about a tenth of a second.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNoSubstitutionTemplateLiteral,
  isStringLiteral,
} from 'typescript/unstable/ast/is';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The imported file's path from the root of the repository, or null for a package or a Node module. */
  readonly target: string | null;
  readonly line: number;
}

export interface ParsedFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** The text of the block comment that the file opens with (after a hash-bang line), or an empty string. */
  readonly headComment: string;
  readonly imports: readonly Import[];
  readonly tree: SourceFile;
}

const SOURCE = /\.[cm]?[jt]sx?$/;

/** One broken rule, as a person wants to read it. */
export type Violation = `${string}:${number} ${string}`;

export const violation = (file: ParsedFile, line: number, what: string): Violation => `${file.path}:${line} ${what}`;

export const lineOf = (file: ParsedFile, node: Node): number =>
  file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line + 1;

/** Calls `visit` for a node and everything under it; `visit` says what its children get as context. */
export function walk<C>(node: Node, context: C, visit: (node: Node, context: C) => C): void {
  const inner = visit(node, context);
  node.forEachChild((child) => walk(child, inner, visit));
}

/** Not written by hand: installed packages, and the bundled dashboard. */
const MADE = new Set(['node_modules', 'bundle']);

/** Every TypeScript or JavaScript file under `folders` of the repository that is written by hand, as path and text. */
export function readTree(root: string, folders: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {};
  const read = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !MADE.has(entry.name) && !entry.name.startsWith('.')) read(path);
      else if (entry.isFile() && SOURCE.test(entry.name)) files[path] = readFileSync(join(root, path), 'utf8');
    }
  };
  for (const folder of folders) read(folder);
  return files;
}

/** Parses files given as path and text; they come back in the order of their paths. */
export function parseFiles(files: Readonly<Record<string, string>>): ParsedFile[] {
  const paths = Object.keys(files).sort();
  const disk: Record<string, string> = {
    '/repo/tsconfig.json': JSON.stringify({
      compilerOptions: { noLib: true, noResolve: true, types: [], allowJs: true, allowImportingTsExtensions: true },
      files: paths,
    }),
  };
  for (const path of paths) disk[`/repo/${path}`] = files[path] ?? '';
  const api = new API({ cwd: '/repo', fs: createVirtualFileSystem(disk) });
  try {
    const project = api.updateSnapshot({ openProjects: ['/repo/tsconfig.json'] }).getProject('/repo/tsconfig.json');
    return paths.map((path) => {
      const tree = project?.program.getSourceFile(`/repo/${path}`);
      if (tree === undefined) throw new Error(`the compiler did not parse ${path}`);
      return describe(path, files[path] ?? '', tree);
    });
  } finally {
    api.close();
  }
}

function describe(path: string, text: string, tree: SourceFile): ParsedFile {
  const headComment = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  const imports: Import[] = [];
  const file = {
    path,
    text,
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    headComment,
    imports,
    tree,
  };
  walk(tree, null, (node) => {
    const specifier = importedSpecifier(node);
    if (specifier !== null) {
      const target = specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), specifier)) : null;
      imports.push({ specifier, target, line: lineOf(file, node) });
    }
    return null;
  });
  return file;
}

/** What a node imports, whichever of the five ways it uses: import, re-export, `import()`, `require()` or a type's `import('x')`. */
function importedSpecifier(node: Node): string | null {
  let specifier: Node | undefined;
  if (isImportDeclaration(node) || isExportDeclaration(node)) specifier = node.moduleSpecifier;
  else if (isImportTypeNode(node) && isLiteralTypeNode(node.argument)) specifier = node.argument.literal;
  else if (isCallExpression(node)) {
    const callee = node.expression;
    const loads =
      callee.kind === SyntaxKind.ImportKeyword ||
      (callee.kind === SyntaxKind.Identifier && callee.getText(node.getSourceFile()) === 'require');
    if (loads) specifier = node.arguments[0];
  }
  if (specifier === undefined) return null;
  return isStringLiteral(specifier) || isNoSubstitutionTemplateLiteral(specifier) ? specifier.text : null;
}

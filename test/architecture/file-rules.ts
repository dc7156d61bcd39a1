/**
 * What a file looks like from outside: its size, its name, its exports and the comment it opens with.
 *
 * A file of logic is one with anything in it besides imports and types: whoever opens it should learn first what it is, why it is
 * done so and what was rejected. The rule can only ask for a comment of some length at the right place; that it says these things is
 * for the reader to judge.
 */
import type { Node, Statement } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import {
  isExportAssignment,
  isExportDeclaration,
  isExportSpecifier,
  isImportDeclaration,
  isInterfaceDeclaration,
  isNamedExports,
  isTypeAliasDeclaration,
} from 'typescript/unstable/ast/is';
import type { ParsedFile, Violation } from './source-tree.ts';
import { lineOf, violation, walk } from './source-tree.ts';

export const LONGEST_FILE = 400;
export const LONGEST_MEDIAN = 150;
/** Shorter than a full sentence is a title, not a design comment. */
const SHORTEST_HEAD_COMMENT = 80;

const inSrc = (file: ParsedFile): boolean => file.path.startsWith('src/');

export function sizeViolations(files: readonly ParsedFile[]): Violation[] {
  const sizes = files.filter(inSrc).sort((a, b) => a.lines - b.lines);
  const found = sizes
    .filter((file) => file.lines > LONGEST_FILE)
    .map((file) => violation(file, file.lines, `has ${file.lines} lines, more than ${LONGEST_FILE}`));
  const middle = sizes[Math.floor((sizes.length - 1) / 2)];
  if (middle !== undefined && middle.lines > LONGEST_MEDIAN) {
    found.push(
      violation(middle, middle.lines, `is the median of src with ${middle.lines} lines, more than ${LONGEST_MEDIAN}`),
    );
  }
  return found;
}

/** A name says what is inside; `utils` says that nobody asked. */
const SAYS_NOTHING = new Set(['util', 'utils', 'helper', 'helpers', 'misc']);

export function nameViolations(files: readonly ParsedFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    const parts = file.path.split('/');
    const name = (parts.pop() ?? '').replace(/(\.test|\.d)?\.[cm]?[jt]sx?$/, '');
    const kebab = [...parts, name].every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part));
    if (!kebab) found.push(violation(file, 1, 'has a path that is not kebab-case'));
    if (SAYS_NOTHING.has(name)) found.push(violation(file, 1, `is called ${name}: name it after what it does`));
  }
  return found;
}

export function defaultExportViolations(files: readonly ParsedFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    walk(file.tree, null, (node) => {
      const isDefault =
        isExportAssignment(node) ||
        (node.kind === SyntaxKind.DefaultKeyword &&
          node.parent.kind !== SyntaxKind.DefaultClause &&
          hasExport(node.parent)) ||
        (isExportSpecifier(node) && node.name.text === 'default');
      if (isDefault) found.push(violation(file, lineOf(file, node), 'exports a default'));
      return null;
    });
  }
  return found;
}

const hasExport = (node: Node): boolean => {
  let exported = false;
  node.forEachChild((child) => {
    exported ||= child.kind === SyntaxKind.ExportKeyword;
  });
  return exported;
};

/** A file that only passes on what others export, whether by `export … from` or by importing first. */
export function barrelViolations(files: readonly ParsedFile[]): Violation[] {
  return files
    .filter((file) => file.tree.statements.length > 0 && file.tree.statements.every(passesOn))
    .filter((file) => file.tree.statements.some((statement) => isExportDeclaration(statement)))
    .map((file) => violation(file, 1, 'only re-exports'));
}

const passesOn = (statement: Statement): boolean =>
  isImportDeclaration(statement) ||
  (isExportDeclaration(statement) &&
    (statement.moduleSpecifier !== undefined ||
      (statement.exportClause !== undefined &&
        isNamedExports(statement.exportClause) &&
        statement.exportClause.elements.length > 0)));

export function headCommentViolations(files: readonly ParsedFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    const isLogic = file.tree.statements.some(
      (statement) =>
        !isImportDeclaration(statement) && !isInterfaceDeclaration(statement) && !isTypeAliasDeclaration(statement),
    );
    if (!inSrc(file) || !isLogic) continue;
    const words = file.headComment
      .replace(/^\s*\*/gm, '')
      .replace(/\s+/g, ' ')
      .trim();
    if (words.length < SHORTEST_HEAD_COMMENT) found.push(violation(file, 1, 'does not open with a design comment'));
  }
  return found;
}

/**
 * What a file marked `@hotpath` in its head comment may not contain, and what must exist beside it.
 *
 * Such a file runs for every request. Promises and exceptions cost queue turns and stack traces, spread and objects like `Date` cost
 * garbage, and a regular expression written inside a function is a new object each time the function runs; one written at the top of
 * the file is made once and allowed. Every such file has a micro-benchmark, by default of its own name, because a claim that a
 * file is hot is a claim that somebody measures it. Closures per request are as bad, but syntax cannot tell them from the ones
 * made at start, so they are left to the reviewer.
 */
import type { Node } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import { isCallExpression, isFunctionLikeDeclaration, isNewExpression } from 'typescript/unstable/ast/is';
import type { ParsedFile, Violation } from './source-tree.ts';
import { lineOf, violation, walk } from './source-tree.ts';

const FORBIDDEN = new Map<SyntaxKind, string>([
  [SyntaxKind.AsyncKeyword, 'async'],
  [SyntaxKind.AwaitKeyword, 'await'],
  [SyntaxKind.AwaitExpression, 'await'],
  [SyntaxKind.ThrowStatement, 'throw'],
  [SyntaxKind.SpreadElement, 'spread'],
  [SyntaxKind.SpreadAssignment, 'spread'],
]);

const FORBIDDEN_OBJECTS = new Set(['RegExp', 'Date', 'URL']);

/** The tag's own line, and the benchmark that it may name. */
const TAG = /^\s*\*?\s*@hotpath\b[ \t]*(bench\/micro\/\S+\.ts)?/m;

export const isHot = (file: ParsedFile): boolean => TAG.test(file.headComment);

export function hotpathViolations(files: readonly ParsedFile[]): Violation[] {
  const paths = new Set(files.map((file) => file.path));
  const found: Violation[] = [];
  for (const file of files) {
    if (!file.path.startsWith('src/') || !isHot(file)) continue;
    walk(file.tree, false, (node, insideFunction) => {
      const what = forbidden(node, insideFunction);
      if (what !== null) found.push(violation(file, lineOf(file, node), `is hot and contains ${what}`));
      return insideFunction || isFunctionLikeDeclaration(node);
    });
    const benchmark = TAG.exec(file.headComment)?.[1] ?? `bench/micro/${file.path.split('/').at(-1)}`;
    if (!paths.has(benchmark)) found.push(violation(file, 1, `is hot and has no benchmark ${benchmark}`));
  }
  return found;
}

function forbidden(node: Node, insideFunction: boolean): string | null {
  if (isNewExpression(node) || isCallExpression(node)) {
    const name = node.expression.kind === SyntaxKind.Identifier ? node.expression.getText(node.getSourceFile()) : '';
    if (FORBIDDEN_OBJECTS.has(name)) return `${isNewExpression(node) ? 'new ' : ''}${name}`;
  }
  if (node.kind === SyntaxKind.RegularExpressionLiteral)
    return insideFunction ? 'a regular expression inside a function' : null;
  return FORBIDDEN.get(node.kind) ?? null;
}

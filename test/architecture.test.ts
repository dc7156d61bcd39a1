/**
 * The architecture as a test: who may import whom, no cycles, file sizes, names, design comments and what hot files may not do.
 *
 * Each rule is a function from parsed files to violations under `architecture/`. It is first run on small samples that break it and on
 * their nearest relatives that do not, because a rule that cannot fail guards nothing; then on the repository, where the answer is
 * an empty list and every violation is a failure of its own, `file:line what`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  barrelViolations,
  defaultExportViolations,
  headCommentViolations,
  LONGEST_FILE,
  LONGEST_MEDIAN,
  nameViolations,
  sizeViolations,
} from './architecture/file-rules.ts';
import { hotpathViolations } from './architecture/hotpath-rules.ts';
import { cycleViolations, layerViolations, missingViolations, packageViolations } from './architecture/import-rules.ts';
import type { ParsedFile, Violation } from './architecture/source-tree.ts';
import { parseFiles, readTree } from './architecture/source-tree.ts';

const ROOT = join(import.meta.dirname, '..');
const DESIGN = `/** ${'A comment that says what this is and why it is so. '.repeat(4)} */\n`;
const HOT = `/** ${'A comment that says what this is and why it is so. '.repeat(4)}\n * @hotpath\n */\n`;

type Rule = (files: readonly ParsedFile[]) => Violation[];

/** Each sample is a small repository: files by path. All of them are parsed in one go, each under a folder of its own. */
interface Sample {
  readonly rule: Rule;
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** The violations, without the message's tail; an empty list for a sample that is in order. */
  readonly expect: readonly string[];
}

const lines = (count: number): string => 'export const a = 1;\n'.repeat(count);
const dependencies: Rule = (files) => packageViolations(files, ['yaml', '@scope/kit'], ['preact']);

const SAMPLES: readonly Sample[] = [
  {
    rule: layerViolations,
    name: 'every layer imports what it may',
    files: {
      'src/model/a.ts': "import { b } from './b.ts';",
      'src/runtime/clock.ts': "import { a } from '../model/a.ts'; import { hrtime } from 'node:process';",
      'src/proxy/http1/head.ts': "import { a } from '../../model/a.ts'; import { c } from '../../runtime/clock.ts';",
      'src/control/supervisor.ts': "new Worker(new URL('../proxy/worker.ts', import.meta.url)); import y from 'yaml';",
      'src/cli/run.ts': "import { s } from '../control/supervisor.ts'; import { c } from '../runtime/clock.ts';",
      'src/main.ts': "import { run } from './cli/run.ts';",
      'test/any.test.ts':
        "import { s } from '../src/control/supervisor.ts'; import { h } from '../src/proxy/http1/head.ts';",
    },
    expect: [],
  },
  {
    rule: layerViolations,
    name: 'layers that reach too far',
    files: {
      'src/model/a.ts':
        "import { c } from '../runtime/clock.ts';\nimport { x } from 'node:net';\nimport y from 'yaml';",
      'src/runtime/clock.ts': "export { s } from '../control/s.ts';\nimport y from 'yaml';",
      'src/proxy/worker.ts': "import type { S } from '../control/s.ts';\nimport { m } from '../main.ts';",
      'src/control/s.ts': "const w = await import('../proxy/worker.ts');\ntype H = import('../proxy/worker.ts').H;",
      'src/control/t.ts': "const w = require('../proxy/worker.ts');\nimport { run } from '../cli/run.ts';",
      'src/cli/run.ts': "import { w } from '../proxy/worker.ts';",
      'src/main.ts': "import { s } from './control/s.ts';\nimport t from '../test/t.ts';",
      'src/odd/a.ts': 'export const a = 1;',
      'src/loose.ts': 'export const a = 1;',
    },
    expect: [
      'src/cli/run.ts:1 cli imports src/proxy/worker.ts',
      'src/control/s.ts:1 control imports src/proxy/worker.ts',
      'src/control/s.ts:2 control imports src/proxy/worker.ts',
      'src/control/t.ts:1 control imports src/proxy/worker.ts',
      'src/control/t.ts:2 control imports src/cli/run.ts',
      'src/loose.ts:1 is in no known layer of src',
      'src/main.ts:1 main imports src/control/s.ts',
      'src/main.ts:2 main imports test/t.ts',
      'src/model/a.ts:1 model imports src/runtime/clock.ts',
      'src/model/a.ts:2 model imports node:net',
      'src/model/a.ts:3 model imports yaml',
      'src/odd/a.ts:1 is in no known layer of src',
      'src/proxy/worker.ts:1 proxy imports src/control/s.ts',
      'src/proxy/worker.ts:2 proxy imports src/main.ts',
      'src/runtime/clock.ts:1 runtime imports src/control/s.ts',
      'src/runtime/clock.ts:2 runtime imports yaml',
    ],
  },
  {
    rule: dependencies,
    name: 'packages that a release does not have',
    files: {
      'src/control/a.ts':
        "import 'yaml/util';\nimport '@scope/kit/deep';\nimport 'node:net';\nimport 'tap';\nimport 'net';",
      'test/a.test.ts': "import t from 'tap';",
    },
    expect: ['src/control/a.ts:4 tap is not', 'src/control/a.ts:5 net is not'],
  },
  {
    rule: missingViolations,
    name: 'imports of nothing',
    files: { 'src/cli/a.ts': "import './b.ts';\nimport './c.ts';\nimport './d.json';", 'src/cli/b.ts': '' },
    expect: ['src/cli/a.ts:2 imports ./c.ts'],
  },
  {
    rule: cycleViolations,
    name: 'a diamond is no cycle',
    files: {
      'src/a.ts': "import './b.ts'; import './c.ts';",
      'src/b.ts': "import './d.ts';",
      'src/c.ts': "import './d.ts';",
      'src/d.ts': '',
    },
    expect: [],
  },
  {
    rule: cycleViolations,
    name: 'cycles through values, types and itself',
    files: {
      'src/a.ts': "import './b.ts';",
      'src/b.ts': "\nimport type { C } from './c.ts';",
      'src/c.ts': "export { a } from './a.ts';",
      'src/self.ts': "import './self.ts';",
    },
    expect: ['src/c.ts:1 closes the cycle src/a.ts → src/b.ts → src/c.ts → src/a.ts', 'src/self.ts:1 closes the cycle'],
  },
  {
    rule: sizeViolations,
    name: 'sizes at the limits',
    files: {
      'src/a.ts': lines(1),
      'src/b.ts': lines(LONGEST_MEDIAN),
      'src/c.ts': lines(LONGEST_FILE),
      'test/a.test.ts': lines(999),
    },
    expect: [],
  },
  {
    rule: sizeViolations,
    name: 'sizes over the limits',
    files: { 'src/a.ts': lines(1), 'src/b.ts': lines(LONGEST_MEDIAN + 1), 'src/c.ts': lines(LONGEST_FILE + 1) },
    expect: ['src/c.ts:401 has 401 lines', 'src/b.ts:151 is the median'],
  },
  {
    rule: nameViolations,
    name: 'names',
    files: {
      'src/proxy/http1/head-parser.ts': '',
      'test/head-parser.test.ts': '',
      'src/proxy/HeadParser.ts': '',
      'src/proxy/head_parser.ts': '',
      'src/Proxy/head.ts': '',
      'src/proxy/utils.ts': '',
    },
    expect: [
      'src/Proxy/head.ts:1 has a path',
      'src/proxy/HeadParser.ts:1 has a path',
      'src/proxy/head_parser.ts:1 has a path',
      'src/proxy/utils.ts:1 is called utils',
    ],
  },
  {
    rule: defaultExportViolations,
    name: 'default exports',
    files: {
      'src/a.ts': 'export default 1;',
      'src/b.ts': 'export default function f() {}',
      'src/c.ts': 'const a = 1;\nexport { a as default };',
      'src/d.ts': 'export default class {}',
      'src/ok.ts':
        "import t from 'tap'; export function f(a: number) { switch (a) { default: return 'export default'; } }",
    },
    expect: ['src/a.ts:1', 'src/b.ts:1', 'src/c.ts:2', 'src/d.ts:1'],
  },
  {
    rule: barrelViolations,
    name: 'barrels',
    files: {
      'src/a.ts': "export * from './x.ts';",
      'src/b.ts': "import { x } from './x.ts';\nimport { y } from './y.ts';\nexport { x, y };",
      'src/c.ts': "export type { T } from './x.ts';\nexport { x } from './x.ts';",
      'src/module-marker.ts': "import './x.ts';\nexport {};",
      'src/adds.ts': "export { x } from './x.ts';\nexport const y = 1;",
      'src/side-effect.ts': "import './x.ts';",
      'src/empty.ts': '',
    },
    expect: ['src/a.ts:1', 'src/b.ts:1', 'src/c.ts:1'],
  },
  {
    rule: headCommentViolations,
    name: 'design comments',
    files: {
      'src/good.ts': `${DESIGN}export const a = 1;`,
      'src/entry.ts': `#!/usr/bin/env node\n${DESIGN}run();`,
      'src/types.ts': "import type { A } from './a.ts';\nexport interface B { a: A }\nexport type C = B;",
      'src/none.ts': 'export const a = 1;',
      'src/line.ts':
        '// A line comment, however long it may be, is not where a reader or a tool looks for it.\nexport const a = 1;',
      'src/late.ts': `import './a.ts';\n${DESIGN}export const a = 1;`,
      'src/title.ts': '/** The parser. */\nexport const a = 1;',
      'test/a.test.ts': 'run();',
    },
    expect: ['src/late.ts:1', 'src/line.ts:1', 'src/none.ts:1', 'src/title.ts:1'],
  },
  {
    rule: hotpathViolations,
    name: 'hot files in order',
    files: {
      'src/proxy/head.ts': `${HOT}const TOKEN = /^a+$/;\nexport const f = (...rest: string[]) => TOKEN.test('async await throw new URL') && rest;`,
      'src/proxy/shared.ts': `${HOT.replace('@hotpath', '@hotpath bench/micro/head.ts')}export const a = Date.now();`,
      'src/proxy/cold.ts': `${DESIGN}export const f = async () => { throw new Error(); };`,
      'src/proxy/talks.ts': `/** Not a file with the \`@hotpath\` tag: it only mentions it. */\nexport const f = async () => 1;`,
      'bench/micro/head.ts': 'run();',
    },
    expect: [],
  },
  {
    rule: hotpathViolations,
    name: 'hot files with everything forbidden',
    files: {
      'src/proxy/hot.ts': `${HOT}${[
        'export const a = async () => 1;',
        'export class B { async b() {} }',
        'await 1;',
        'for await (const x of []) f(x);',
        "function c() { throw new Error('x'); }",
        'const d = [...a];',
        'const e = { ...a };',
        'f(...a);',
        "new RegExp('a'); RegExp('b');",
        'new Date();',
        "new URL('/', 'http://a');",
        'function g(x: string) { return /a/.test(x); }',
        'class H { h = (x: string) => x.replace(/a/g, x); }',
      ].join('\n')}`,
      'src/proxy/elsewhere.ts': `${HOT.replace('@hotpath', '@hotpath bench/micro/none.ts')}export const a = 1;`,
    },
    expect: [
      'src/proxy/elsewhere.ts:1 is hot and has no benchmark bench/micro/none.ts',
      'src/proxy/hot.ts:4 is hot and contains async',
      'src/proxy/hot.ts:5 is hot and contains async',
      'src/proxy/hot.ts:6 is hot and contains await',
      'src/proxy/hot.ts:7 is hot and contains await',
      'src/proxy/hot.ts:8 is hot and contains throw',
      'src/proxy/hot.ts:9 is hot and contains spread',
      'src/proxy/hot.ts:10 is hot and contains spread',
      'src/proxy/hot.ts:11 is hot and contains spread',
      'src/proxy/hot.ts:12 is hot and contains new RegExp',
      'src/proxy/hot.ts:12 is hot and contains RegExp',
      'src/proxy/hot.ts:13 is hot and contains new Date',
      'src/proxy/hot.ts:14 is hot and contains new URL',
      'src/proxy/hot.ts:15 is hot and contains a regular expression inside a function',
      'src/proxy/hot.ts:16 is hot and contains a regular expression inside a function',
      'src/proxy/hot.ts:1 is hot and has no benchmark bench/micro/hot.ts',
    ],
  },
];

t.test('each rule finds what breaks it and nothing else', (t) => {
  const all: Record<string, string> = {};
  SAMPLES.forEach(({ files }, index) => {
    for (const [path, text] of Object.entries(files)) all[`sample${index}/${path}`] = text;
  });
  const parsed = parseFiles(all);
  SAMPLES.forEach(({ rule, name, expect }, index) => {
    const prefix = `sample${index}/`;
    const strip = (path: string): string => path.slice(prefix.length);
    const files = parsed
      .filter((file) => file.path.startsWith(prefix))
      .map((file) => ({
        ...file,
        path: strip(file.path),
        imports: file.imports.map((each) => ({ ...each, target: each.target === null ? null : strip(each.target) })),
      }));
    const found = rule(files);
    const matched = found.map((each, at) =>
      expect[at] !== undefined && each.startsWith(expect[at]) ? expect[at] : each,
    );
    t.strictSame(matched, [...expect], name);
  });
  t.end();
});

t.test('the repository keeps its rules', (t) => {
  const folders = ['src', 'test', 'bench'].filter((folder) => existsSync(join(ROOT, folder)));
  const files = parseFiles(readTree(ROOT, folders));
  const manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );

  // A failure for each violation: that reads as a list, and in the terminal leads to the place.
  const none = (found: readonly Violation[], what: string): void => {
    for (const each of found) t.fail(each, { at: null, stack: '' });
    if (found.length === 0) t.pass(what);
  };
  none(layerViolations(files), 'every layer imports only what is below it');
  const [released, bundled] = [manifest.dependencies, manifest.devDependencies].map(Object.keys);
  none(packageViolations(files, released ?? [], bundled ?? []), 'src imports only packages that a release has');
  none(missingViolations(files), 'every imported file exists');
  none(cycleViolations(files), 'no import cycles');
  none(sizeViolations(files), `files of src have ${LONGEST_FILE} lines at most, ${LONGEST_MEDIAN} in the middle`);
  none(nameViolations(files), 'names are kebab-case and say something');
  none(defaultExportViolations(files), 'no default exports');
  none(barrelViolations(files), 'no barrels');
  none(headCommentViolations(files), 'files of logic open with a design comment');
  none(hotpathViolations(files), 'hot files do only cheap things and are measured');
  t.end();
});

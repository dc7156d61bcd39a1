/**
 * `docs/performance.md`: the tables of the benchmarks' own reports, put together by question.
 *
 * The reports are what a run wrote, complete and in the order in which things were measured; this page takes whole sections out of them, word for
 * word, so that no figure is copied by hand. A section that a report no longer has is an error here, and the test that compares the
 * page with its sources fails after each new run until the page is made anew.
 */
import { posix } from 'node:path';
import { readPage } from './doc-tree.ts';

/** The section of a report under this heading of the second level, links made to hold from docs/. */
function section(report: string, heading: string): string {
  const parts = readPage(`bench/${report}`).split(/^## /m);
  const found = parts.find((part) => part.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`bench/${report} has no section "${heading}"`);
  return fromDocs(found.slice(heading.length).trim());
}

/** What a report says before its first section, without the title and the line that says who made it. */
const opening = (report: string): string =>
  fromDocs((readPage(`bench/${report}`).split(/^## /m)[0] ?? '').split('\n\n').slice(2).join('\n\n').trim());

const fromDocs = (text: string): string =>
  text.replaceAll(/\]\((?![a-z]+:|#)([^)]+)\)/g, (_, target: string) => {
    const path = posix.relative('docs', posix.join('bench', target));
    return `](${path})`;
  });

/** The last paragraph of a report that ends with the machine it ran on. */
const lastLine = (report: string): string => readPage(`bench/${report}`).trim().split('\n').at(-1) ?? '';

export const performancePage = (): string => `# Performance

Made from the reports in \`bench/\` by \`npm run docs\`; do not edit. All figures come from one run of each benchmark, on the machine that
is named below. Compare ratios, not figures of different machines, and repeat what you want to rely on.

| question | command | whole report |
|---|---|---|
| What does a request cost, beside other proxies? | \`npm run bench\`, 12 minutes | [RESULTS.md](../bench/RESULTS.md) |
| How soon is a bad canary taken back? | \`npm run bench:rollback\`, 8 minutes | [ROLLBACK.md](../bench/ROLLBACK.md) |
| Are good canaries left alone? | \`npm run simulate\`, 3 minutes | [SIMULATION.md](../bench/SIMULATION.md) |
| How long does a change of weights take? | \`npm run bench:weights\` | [WEIGHTS.md](../bench/WEIGHTS.md) |
| What does one function cost? | \`npm run bench:micro\` | |

## How it is measured

In short: every proxy has one core for itself and proves first that it answers correctly. All proxies of a scenario take turns, round by round,
so that a slow moment of the machine meets everyone. CPU time per completed request is read from \`/proc\`. One wrong answer refuses the run.
[The benchmark](../bench/README.md) has the method in full.

## What a request costs

CPU per request, as a multiple of nginx; \`least\` compares the rounds that were disturbed least.

${section('RESULTS.md', 'CPU per request, as a multiple of nginx')}

### Small GET, keep-alive

${section('RESULTS.md', 'Small GET, keep-alive')}

### The routing decision

Phases 3 to 6 of [the life of a request](life-of-a-request.md): route, version, admission, endpoint.

${section('RESULTS.md', 'Routing decision (phases 3 to 6)')}

### Idle connections

${section('RESULTS.md', '2,000 idle connections')}

## How soon a bad canary is taken back

${opening('ROLLBACK.md')}

### Half of its answers are 500s

${section('ROLLBACK.md', 'Half of the answers are 500s')}

### Other faults

${section('ROLLBACK.md', 'Other faults')}

### What is not taken back

${section('ROLLBACK.md', 'What is not taken back').split('\n\n').slice(0, 2).join('\n\n')}

## Whether good canaries are left alone

These are simulations with the code that decides; what the tests are is told in [evidence](evidence.md).

${section('SIMULATION.md', 'An equal canary is left alone')}

### How many requests it takes to find a bad one

${section('SIMULATION.md', 'Errors: how soon a bad canary is found')}

## How long a change of weights takes

${opening('WEIGHTS.md').split('\n\n').slice(0, -1).join('\n\n')}

## The runs

${section('RESULTS.md', 'The run')}

Rollback: ${lastLine('ROLLBACK.md')}

Weights: ${lastLine('WEIGHTS.md')}

## What these figures do not say

${section('README.md', 'Limits')}
`;

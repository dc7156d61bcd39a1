/**
 * What pages promise about their blocks, by the command that shows it.
 *
 * A promise is looked for in every block that has its command; a page says which of them it makes, so that none is lost when the page is
 * written anew.
 */
import type { Test } from 'tap';
import type { RunBlock } from './page-session.ts';

interface Promised {
  readonly name: string;
  /** Of the block. */
  readonly command: RegExp;
  readonly output: RegExp;
}

const PROMISES: readonly Promised[] = [
  // Each worker is exact to one request; how many there are, and which of them takes a connection, is open.
  { name: 'versions take turns', command: /for i in \$\(seq 20\).*\/; done/, output: /(1\d|20) .*v1/ },
  { name: 'taken back', command: /rollout start demo v2 .*--wait; echo/, output: /RolledBack(?:.|\n)*exit code 1/ },
  { name: 'becomes stable', command: /rollout retry demo .*--wait; echo/, output: /Succeeded(?:.|\n)*exit code 0/ },
  {
    name: 'no user saw it',
    command: /sluice_\(requests\|shielded\)_total/,
    output: /^(?!(?:.|\n)*code="5)(?:.|\n)*sluice_shielded_total\{[^}]*\} [1-9]/,
  },
  { name: 'says why', command: /rollout why/, output: /failure/ },
  { name: 'reload refused', command: /v2: 20 \}\/'/, output: /must be 100/ },
];

export function checkBlocks(t: Test, blocks: readonly RunBlock[], promised: readonly string[]): void {
  for (const { line, text, output, status, seconds, failures } of blocks) {
    const what = `line ${line}: ${text.trim().split('\n')[0]}`;
    t.comment(`${what}: ${seconds.toFixed(1)} s`);
    const last = text.trim().split('\n').at(-1) ?? '';
    t.ok(status === 0 || (status === 28 && last.includes('--max-time')), `${what} ends with ${status}`, { output });
    t.strictSame(failures, [], `${what}: no command fails`, { output });
  }
  for (const name of promised) {
    const { command, output } = PROMISES.find((each) => each.name === name) ?? { command: /^$/, output: /^$/ };
    const own = blocks.filter((block) => command.test(block.text));
    t.ok(own.length > 0, `a block shows it: ${name}`);
    for (const block of own) t.match(block.output, output, `line ${block.line}: ${name}`);
  }
}

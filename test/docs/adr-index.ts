/** `docs/adr/README.md`: the decisions by number, with the title that each has at its head. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readPage } from './doc-tree.ts';

export function adrIndex(): string {
  const files = readdirSync(join(ROOT, 'docs/adr')).filter((name) => /^\d{4}-.*\.md$/.test(name));
  const rows = files.toSorted().map((name) => {
    const title = /^# (.*)$/m.exec(readPage(`docs/adr/${name}`))?.[1] ?? name;
    return `- [${title}](${name})`;
  });
  return `# Decisions

Made from the files of this folder by \`npm run docs\`; do not edit. Each says what was decided, why, and what follows from it.

${rows.join('\n')}
`;
}

/**
 * What the tests of the documentation need to know of a Markdown page: its headings with their anchors, its links, its blocks of code.
 *
 * Lines and regular expressions are enough for the few forms that these pages use, and a form that is not known shows as a link that is not
 * checked, never as a false alarm. Anchors follow GitHub: the text of the heading in lower case, everything but letters, digits, `-`, `_` and
 * spaces taken out, spaces turned into `-`, and a number behind what comes again.
 */

export interface Block {
  /** Line of the fence, from 1. */
  readonly line: number;
  /** The words behind the fence: the language and, where there is one, whose it is. */
  readonly info: readonly string[];
  readonly text: string;
}

export interface Link {
  readonly line: number;
  readonly target: string;
}

const FENCE = /^( *)(`{3,}|~{3,})(.*)$/;

/** The lines of a page, those of code blocks emptied, and the blocks. */
function divided(page: string): { readonly prose: readonly string[]; readonly blocks: readonly Block[] } {
  const prose: string[] = [];
  const blocks: Block[] = [];
  let open: { fence: string; line: number; info: string[]; lines: string[] } | null = null;
  page.split('\n').forEach((line, at) => {
    const [, , fence = '', info = ''] = FENCE.exec(line) ?? [];
    if (open === null && fence !== '') {
      open = { fence, line: at + 1, info: info.split(' ').filter(Boolean), lines: [] };
    } else if (open !== null && fence.startsWith(open.fence) && info === '') {
      blocks.push({ line: open.line, info: open.info, text: open.lines.map((each) => `${each}\n`).join('') });
      open = null;
    } else if (open !== null) {
      open.lines.push(line);
    } else {
      prose.push(line);
      return;
    }
    prose.push('');
  });
  return { prose, blocks };
}

export const blocksOf = (page: string): readonly Block[] => divided(page).blocks;

/** Lines without code blocks. */
export const proseOf = (page: string): readonly string[] => divided(page).prose;

/** The text between backticks, and the line where it stands. */
export const spansOf = (page: string): readonly { readonly line: number; readonly text: string }[] =>
  proseOf(page).flatMap((line, at) =>
    [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => ({ line: at + 1, text })),
  );

export function anchorsOf(page: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const line of proseOf(page)) {
    for (const [, id = ''] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
    const heading = /^ {0,3}#{1,6} +(.*?)( +#+)? *$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = slugOf(heading);
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return anchors;
}

export function slugOf(heading: string): string {
  return heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

/** Links and pictures, those inside of code left out. */
export function linksOf(page: string): readonly Link[] {
  const found: Link[] = [];
  proseOf(page).forEach((line, at) => {
    const text = line.replaceAll(/`[^`]*`/g, '');
    const targets = [
      ...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g),
      ...text.matchAll(/^\s*\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)/g),
      ...text.matchAll(/\b(?:href|src|srcset)="([^"]+)"/g),
    ];
    for (const [, target = ''] of targets) found.push({ line: at + 1, target });
  });
  return found;
}

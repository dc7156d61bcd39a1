/**
 * What may come next on a command line: commands, options and places to fill in, read out of the help texts.
 *
 * The help is the one description that every command has, and what it does not mention should not be offered either. Its usage lines are a small
 * grammar (`command-description.ts`): the words so far choose the lines that fit, each of which names what comes next. Option lines give
 * the options, and by their place-holder whether a value follows and whether that is a path.
 *
 * Pure but for `names`, which asks a server for the names of things and answers with none where nobody answers.
 */
import { type Command, commandOf, lastWord } from './command.ts';

export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

/** `files`: a path is wanted, which the shell completes better. */
export type Completion = readonly Candidate[] | 'files';

/** What a server can name. */
const NAMED = ['SERVICE', 'VERSION', 'ENDPOINT', 'FLAG', 'STRATEGY', 'ID'] as const;

export type NameKind = (typeof NAMED)[number];

/** `before` are the words in front that stand for names, a service first. */
export type Names = (kind: NameKind, before: readonly string[]) => Promise<readonly string[]>;

const namedKind = (place: string | null): NameKind | undefined => NAMED.find((kind) => kind === place);

/** @param words behind `sluice`; the last one is being typed and may be empty. */
export async function complete(
  words: readonly string[],
  commands: readonly Command[],
  names: Names,
): Promise<Completion> {
  const current = words.at(-1) ?? '';
  const offered = await candidates(words.slice(0, -1), current, commands, names);
  return offered === 'files' ? offered : offered.filter(({ word }) => word.startsWith(current));
}

async function candidates(
  before: readonly string[],
  current: string,
  commands: readonly Command[],
  names: Names,
): Promise<Completion> {
  if (before.length === 0) {
    if (current.startsWith('-')) return [{ word: '--help' }, { word: '--version' }];
    return [...listOf(commands), { word: 'help', about: 'explain a command' }];
  }
  if (before[0] === 'help') {
    if (before.length === 1) return listOf(commands);
    const explained = commandOf(before.slice(1), commands);
    return explained?.rest.length === 0 ? listOf(explained.command.subcommands ?? []) : [];
  }
  const called = commandOf(before, commands);
  if (called === null) return [];
  const { command, rest } = called;
  if (command.subcommands !== undefined && rest.length === 0 && !current.startsWith('-')) {
    return listOf(command.subcommands);
  }
  const options = optionsIn(command.help);
  const wanting = options.find(({ names, value }) => value !== null && names.includes(before.at(-1) ?? ''));
  if (wanting !== undefined) return valuesOf(wanting.value, names);
  if (current.startsWith('-')) {
    const free = options.filter(({ names }) => !names.some((each) => rest.includes(each)));
    return free.map(({ names, about }) => ({ word: names.at(-1)!, about }));
  }
  return nextWords(usagesIn(command), withoutOptions(rest, options), current, names);
}

const listOf = (commands: readonly Command[]): readonly Candidate[] =>
  commands.map(({ name, summary }) => ({ word: lastWord(name), about: summary }));

async function valuesOf(place: string | null, names: Names): Promise<Completion> {
  if (/^(FILE|DIR|PATH)$/.test(place ?? '')) return 'files';
  const kind = namedKind(place);
  return kind === undefined ? [] : (await names(kind, [])).map((word) => ({ word }));
}

interface HelpOption {
  /** `-c` and `--config`; the long one is the last. */
  readonly names: readonly string[];
  readonly value: string | null;
  readonly about: string;
}

export function optionsIn(help: string): readonly HelpOption[] {
  return [...help.matchAll(/^ {2}(?:(-\w), )?(--[a-z-]+)(?: ([A-Z]+))? {2,}(.+)$/gm)].map(
    ([, short, long, value, about]) => ({
      names: [short, long].filter((name) => name !== undefined),
      value: value ?? null,
      about: about ?? '',
    }),
  );
}

/** The words of each usage line, without options. */
export function usagesIn({ name, help }: Command): readonly (readonly string[])[] {
  const lines = [...help.matchAll(/^(?:Usage: | {7})sluice (.*)$/gm)].map(([, line = '']) => `${line} `);
  return lines
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => {
      const words = line
        .slice(name.length)
        .replace(/\[OPTIONS\]/g, '')
        .replace(/--?[a-z-]+(?: [A-Z]+)?/g, '')
        .replace(/[[\]]/g, ' ');
      return words.split(/[ |]*\s[ |]*/).filter((word) => /[A-Za-z]/.test(word));
    });
}

function withoutOptions(words: readonly string[], options: readonly HelpOption[]): readonly string[] {
  const kept: string[] = [];
  let skip = false;
  for (const word of words) {
    if (skip) skip = false;
    else if (word.startsWith('-')) skip = options.some(({ names, value }) => value !== null && names.includes(word));
    else kept.push(word);
  }
  return kept;
}

async function nextWords(
  usages: readonly (readonly string[])[],
  before: readonly string[],
  current: string,
  names: Names,
): Promise<readonly Candidate[]> {
  const words = new Set<string>();
  const asked = new Set<string>();
  for (const usage of usages) {
    if (!before.every((word, at) => fits(word, placeAt(usage, at)))) continue;
    const place = placeAt(usage, before.length)?.replace(/\.\.\.$/, '');
    if (place === undefined) continue;
    // What stands for names of the server in front of this place: `set` and the like are no service.
    const given = before.filter((_, at) => isPlace(placeAt(usage, at)));
    const question = [place, ...given].join(' ');
    if (asked.has(question)) continue;
    asked.add(question);
    for (const word of await fillings(place, given, current, names)) words.add(word);
  }
  return [...words].map((word) => ({ word }));
}

/** The last place of a line goes on if it ends in `...`. */
function placeAt(usage: readonly string[], at: number): string | undefined {
  const last = usage.at(-1);
  return usage[at] ?? (last?.endsWith('...') ? last : undefined);
}

const isPlace = (place: string | undefined): boolean => place !== undefined && /^[A-Z]/.test(place);

const fits = (word: string, place: string | undefined): boolean =>
  place !== undefined && (isPlace(place) || place.split('|').some((choice) => choice === word || isPlace(choice)));

async function fillings(
  place: string,
  given: readonly string[],
  current: string,
  names: Names,
): Promise<readonly string[]> {
  const kind = namedKind(place);
  if (kind !== undefined) return names(kind, given);
  switch (place) {
    case 'ID|SERVICE':
      return [...(await names('SERVICE', given)), ...(await names('ID', given))];
    case 'LANE=PERCENT':
      return ['stable', 'canary', ...(await names('VERSION', given))].map((name) => `${name}=`);
    case 'LANE=VERSION': {
      const [lane, value] = current.split('=');
      if (value === undefined) return ['stable=', 'canary=', 'candidate='];
      return [...(await names('VERSION', given)), 'none'].map((version) => `${lane}=${version}`);
    }
    default:
      return place.split('|').filter((choice) => !isPlace(choice));
  }
}

/**
 * `sluice completion`: the script for a shell, and `completion words`, which that script calls for every word that is to be completed.
 *
 * Names come from the server that the command line itself names, else from the usual one. Nobody waits longer than a second for them, and without a
 * server, with a wrong token or a half-typed option there are none: completion must never print an error into somebody's prompt.
 */
import type { FlagView, ServiceView, StrategyView } from '../control/operations.ts';
import type { RolloutSummary } from '../control/rollout/view.ts';
import { AdminClient, pathOf } from './client/admin-client.ts';
import { namedWords } from './client/client-command.ts';
import { readConnection } from './client/connection.ts';
import { printable } from './client/printable.ts';
import { type Command, type Io, UsageError } from './command.ts';
import { defineCommand } from './command-description.ts';
import { SCRIPTS, SHELLS } from './completion-scripts.ts';
import { complete, type Names } from './completion-words.ts';

const PATIENCE = '1s';

/** @param commands all of them, this one included; asked when it runs. */
export const completionCommand = (commands: () => readonly Command[]): Command =>
  defineCommand(
    {
      name: 'completion',
      summary: 'print the completion script for a shell',
      about:
        'Print the script that has a shell complete commands, options, and the names of services, versions, endpoints, flags, ' +
        'strategies and rollouts of a running server. ' +
        '"completion words" is what the scripts call: it prints what may come next.',
      usage: ['bash|zsh|fish', 'words -- WORD...'],
      options: {},
      exit: '0 done, 2 wrong usage.',
      examples: [
        'source <(sluice completion bash)                                      # in ~/.bashrc',
        'source <(sluice completion zsh)                                       # in ~/.zshrc, behind compinit',
        'sluice completion fish > ~/.config/fish/completions/sluice.fish',
        'sluice completion words -- weights ""',
      ],
    },
    async ({ words, io }) => {
      if (words[0] === 'words') return printWords(words.slice(1), commands(), io);
      const [wanted] = namedWords(words, ['the shell']);
      const shell = SHELLS.find((each) => each === wanted);
      if (shell === undefined) throw new UsageError(`no script for ${wanted}; there are: ${SHELLS.join(', ')}`);
      io.out(SCRIPTS[shell]);
      return 0;
    },
  );

async function printWords(words: readonly string[], commands: readonly Command[], io: Io): Promise<number> {
  const completion = await complete(words, commands, askServer(words, io));
  if (completion === 'files') {
    io.out(':files\n');
    return 0;
  }
  for (const { word, about } of completion) io.out(`${[word, about ?? []].flat().map(printable).join('\t')}\n`);
  return 0;
}

function askServer(words: readonly string[], io: Io): Names {
  return async (kind, [name]) => {
    let admin: AdminClient | null = null;
    try {
      admin = new AdminClient(readConnection(connectionOptions(words), io.env));
      if (kind === 'FLAG')
        return namesOf((await admin.get<{ readonly flags: readonly FlagView[] }>(pathOf('flags'))).flags);
      if (kind === 'SERVICE')
        return namesOf((await admin.get<{ readonly services: readonly ServiceView[] }>(pathOf('services'))).services);
      if (kind === 'STRATEGY')
        return namesOf(
          (await admin.get<{ readonly strategies: readonly StrategyView[] }>(pathOf('strategies'))).strategies,
        );
      if (kind === 'ID')
        return (await admin.get<{ readonly rollouts: readonly RolloutSummary[] }>(pathOf('rollouts'))).rollouts.map(
          ({ id }) => id,
        );
      if (name === undefined) return [];
      const { versions } = await admin.get<ServiceView>(pathOf('services', name));
      if (kind === 'VERSION') return namesOf(versions);
      return versions.flatMap(({ endpoints }) => endpoints.map(({ url }) => url));
    } catch {
      return [];
    } finally {
      await admin?.close();
    }
  };
}

const namesOf = (things: readonly { readonly name: string }[]): readonly string[] => things.map(({ name }) => name);

/** The line is not finished, so it is not parsed as one: only what says whom to ask is taken from it. */
function connectionOptions(words: readonly string[]): Parameters<typeof readConnection>[0] {
  const given = (option: string): string | undefined => {
    const at = words.indexOf(option);
    return at === -1 ? words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1) : words[at + 1];
  };
  return {
    json: false,
    admin: given('--admin'),
    'token-file': given('--token-file'),
    cacert: given('--cacert'),
    timeout: PATIENCE,
  };
}

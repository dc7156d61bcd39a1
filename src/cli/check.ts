/** `sluice check`: reads the configuration as `run` would, says what it holds or every fault in it, and starts nothing. */
import { contentsOf } from '../control/config/contents.ts';
import { ConfigError, formatProblem } from '../control/config/faults.ts';
import { CONFIG_OPTION, type Command, type Io, readOptions } from './command.ts';

const HELP = `Check a configuration file and report every fault in it, with line and column.

Usage: sluice check [-c FILE]... [--json]

Options:
  -c, --config FILE  the configuration; default sluice.yaml. Given several times, later files are laid over earlier ones
  --json             one JSON object on standard output instead of text
  -h, --help         this text

Exit code: 0 the file is good, 1 it is not, 2 wrong usage.

Examples:
  sluice check
  sluice check -c config/sluice.yaml
  sluice check -c base.yaml -c production.yaml
  sluice check -c sluice.yaml --json
`;

/** Loaded when it is needed: reading configurations brings libraries along that most commands have no use for. */
const load = (): Promise<typeof import('../control/config/load.ts')> => import('../control/config/load.ts');

export const checkCommand: Command = {
  name: 'check',
  summary: 'check a configuration file',
  help: HELP,

  async run(args: readonly string[], io: Io): Promise<number> {
    const options = readOptions(args, { ...CONFIG_OPTION, json: { type: 'boolean', default: false } });
    const file = options.config.join(' + ');
    const { loadConfigFiles } = await load();
    try {
      const contents = contentsOf(loadConfigFiles(options.config, io.env).config);
      if (options.json) io.out(`${JSON.stringify({ ok: true, file, ...contents })}\n`);
      else io.out(`${file}: OK (${Object.entries(contents).map(counted).join(', ')})\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (options.json) io.out(`${JSON.stringify({ ok: false, file, problems: error.problems })}\n`);
      else for (const problem of error.problems) io.err(`${formatProblem(problem)}\n`);
      return 1;
    }
  },
};

function counted([plural, count]: readonly [string, number]): string {
  return `${count} ${count === 1 ? plural.slice(0, -1) : plural}`;
}

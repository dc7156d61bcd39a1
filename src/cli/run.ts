/** `sluice run`: the proxy, from configuration files, until a signal or a call ends it. One JSON line per event on standard output. */
import { ConfigError, formatProblem } from '../control/config/faults.ts';
import type { LoadedConfig } from '../control/config/load.ts';
import { CONFIG_OPTION, type Command, type Io, readOptions } from './command.ts';

const HELP = `Run the proxy.

Usage: sluice run [-c FILE]...

Options:
  -c, --config FILE  the configuration; default sluice.yaml. Given several times, later files are laid over earlier ones
  -h, --help         this text

Signals:
  SIGTERM, SIGINT    stop accepting, finish what is under way within timeouts.drain, exit 0
  a second one       exit 1 at once
  SIGHUP             read the configuration again; one with a fault changes nothing (a changed file does the same)
  SIGUSR2            open log files anew, and log what has become of the requests of each version

Exit code: 0 after a drain, 1 a faulty configuration, a state or an address that cannot be used, 2 wrong usage.

Examples:
  sluice run -c sluice.yaml
  sluice run -c base.yaml -c production.yaml
  PORT=9000 sluice run -c sluice.yaml      # with "listen: :\${PORT}" in the file
`;

/** Loaded when it is needed: what serves brings libraries along that help and checks have no use for. */
const serve = (): Promise<typeof import('./serve.ts')> => import('./serve.ts');

export const runCommand: Command = {
  name: 'run',
  summary: 'run the proxy',
  help: HELP,

  async run(args: readonly string[], io: Io): Promise<number> {
    const options = readOptions(args, CONFIG_OPTION);
    const { createLogger, fileSource, serveUntilStopped } = await serve();
    const source = fileSource(options.config, io.env);
    let loaded: LoadedConfig;
    try {
      loaded = source.load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) io.err(`${formatProblem(problem)}\n`);
      return 1;
    }
    return serveUntilStopped({
      ...{ source, loaded, logger: createLogger(io.out) },
      failed: (message) => io.err(`sluice run: ${message}\n`),
    });
  },
};

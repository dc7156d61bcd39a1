/** `sluice run`: the proxy, from a configuration file, until a signal ends it. One JSON line per event on standard output. */
import { ConfigError, formatProblem } from '../control/config/faults.ts';
import { loadConfigFile } from '../control/config/load.ts';
import type { SluiceConfig } from '../model/config.ts';
import { createLogger } from '../runtime/logger.ts';
import { CONFIG_OPTION, type Command, type Io, readOptions } from './command.ts';

const HELP = `Run the proxy.

Usage: sluice run [-c FILE]

Options:
  -c, --config FILE  the configuration; default sluice.yaml
  -h, --help         this text

Signals:
  SIGTERM, SIGINT    stop accepting, finish what is under way within timeouts.drain, exit 0
  a second one       exit 1 at once
  SIGUSR2            log what has become of the requests of each version (also done behind a drain)

Exit code: 0 after a drain, 1 a faulty configuration or an address that cannot be bound, 2 wrong usage.

Examples:
  sluice run -c sluice.yaml
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
    let config: SluiceConfig;
    try {
      config = loadConfigFile(options.config, io.env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) io.err(`${formatProblem(problem)}\n`);
      return 1;
    }
    const logger = createLogger(io.out);
    // Unheard, a hangup would end the process and every connection with it.
    const onHangup = (): void => {
      logger.warn('reload_not_supported', { signal: 'SIGHUP', hint: 'restart to apply a changed configuration' });
    };
    process.on('SIGHUP', onHangup);
    try {
      return await (await serve()).serveUntilStopped({
        config,
        logger,
        failed: (message) => io.err(`sluice run: ${message}\n`),
      });
    } finally {
      process.off('SIGHUP', onHangup);
    }
  },
};

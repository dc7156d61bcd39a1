/**
 * The command line: which command is meant, help, and what a wrong call is told.
 *
 * Exit codes: 0 done, 1 could not be done, 2 wrongly called; those of calls to a running Sluice are in `client/failure.ts`.
 */
import { nearestName } from '../control/config/nearest-name.ts';
import { auditCommand } from './audit.ts';
import { checkCommand } from './check.ts';
import { CommandFailure } from './client/failure.ts';
import { type Command, commandOf, type Io, UsageError } from './command.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { demoCommand } from './demo.ts';
import { drainCommand } from './drain.ts';
import { eventsCommand } from './events.ts';
import { flagsCommand } from './flags.ts';
import { healthCommand } from './health.ts';
import { lanesCommand } from './lanes.ts';
import { notificationsCommand } from './notifications.ts';
import { packageVersion } from './package-version.ts';
import { reloadCommand } from './reload.ts';
import { rollbackCommand } from './rollback.ts';
import { rolloutCommand } from './rollout.ts';
import { runCommand } from './run.ts';
import { statusCommand } from './status.ts';
import { strategiesCommand } from './strategies.ts';
import { versionsCommand } from './versions.ts';
import { weightsCommand } from './weights.ts';

export const COMMANDS: readonly Command[] = [
  demoCommand,
  runCommand,
  checkCommand,
  statusCommand,
  healthCommand,
  weightsCommand,
  rolloutCommand,
  strategiesCommand,
  rollbackCommand,
  drainCommand,
  lanesCommand,
  versionsCommand,
  flagsCommand,
  eventsCommand,
  notificationsCommand,
  auditCommand,
  configCommand,
  reloadCommand,
  completionCommand(() => COMMANDS),
];

export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    io.err(overview());
    return 2;
  }
  if (first === '--help' || first === '-h') {
    io.out(overview());
    return 0;
  }
  if (first === '--version' || first === '-v') {
    io.out(`${packageVersion()}\n`);
    return 0;
  }
  if (first === 'help') return help(rest, io);
  const called = commandOf(argv, COMMANDS);
  if (called === null) return unknownCommand(first, io);
  const { command, rest: args } = called;
  // What is behind `--` is data: an option there is not meant for the command.
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (options.includes('--help') || options.includes('-h')) {
    io.out(command.help);
    return 0;
  }
  try {
    return await command.run(args, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`sluice ${command.name}: ${error.message}\nTry: sluice ${command.name} --help\n`);
      return 2;
    }
    if (!(error instanceof CommandFailure)) throw error;
    io.err([`sluice ${command.name}: ${error.message}`, ...error.notes, ''].join('\n'));
    return error.exitCode;
  }
}

function help(words: readonly string[], io: Io): number {
  const [name] = words;
  if (name === undefined) {
    io.out(overview());
    return 0;
  }
  const called = commandOf(words, COMMANDS);
  if (called === null) return unknownCommand(name, io);
  io.out(called.command.help);
  return 0;
}

function unknownCommand(word: string, io: Io): number {
  const kind = word.startsWith('-') ? 'option' : 'command';
  const known = kind === 'option' ? ['--help', '--version'] : [...COMMANDS.map(({ name }) => name), 'help'];
  const guess = nearestName(word, known);
  io.err(`sluice: unknown ${kind} ${word}${guess === null ? '' : `; did you mean ${guess}?`}\nTry: sluice --help\n`);
  return 2;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const list = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`).join('');
  return `Sluice: an HTTP proxy that is its own canary controller.

Usage: sluice COMMAND [OPTIONS]

Commands:
${list}
Options:
  -h, --help     this text; after a command, or as "sluice help COMMAND", the command's own
  -v, --version  the version

Examples:
  sluice demo
  sluice check -c sluice.yaml
  sluice run -c sluice.yaml
  sluice status --watch
  sluice weights demo stable=90 canary=10
  sluice rollout start demo v2 --wait
`;
}

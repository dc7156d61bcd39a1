#!/usr/bin/env node
/** Entry: argv → cli. The exit code is the command's answer; nothing that is still open keeps the process after it. */
import { runCli } from './cli/cli.ts';
import type { Io } from './cli/command.ts';

const { stdout, stderr } = process;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const interruptions = new Set<() => void>();
const interrupt = (): void => {
  for (const listener of interruptions) listener();
};

const io: Io = {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  env: process.env,
  ...(stdout.isTTY && { terminal: { rows: () => stdout.rows, columns: () => stdout.columns } }),
  onInterrupt(listener) {
    interruptions.add(listener);
    for (const signal of STOP_SIGNALS) process.once(signal, listener);
    return () => {
      interruptions.delete(listener);
      for (const signal of STOP_SIGNALS) process.off(signal, listener);
    };
  },
};

// A reader that has seen enough (`sluice demo | head`) is no reason to die with a stack trace, nor to go on for ever.
stdout.on('error', interrupt);
stderr.on('error', () => {});

runCli(process.argv.slice(2), io).then(
  (code) => process.exit(code),
  (error: unknown) => {
    io.err(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);

#!/usr/bin/env node
/** Entry: argv → cli. The exit code is the command's answer; nothing that is still open keeps the process after it. */
import { runCli } from './cli/cli.ts';

const io = {
  out: (text: string): void => void process.stdout.write(text),
  err: (text: string): void => void process.stderr.write(text),
  env: process.env,
};

// A reader that has seen enough (`sluice demo | head`) is no reason to die with a stack trace.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

runCli(process.argv.slice(2), io).then(
  (code) => process.exit(code),
  (error: unknown) => {
    io.err(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);

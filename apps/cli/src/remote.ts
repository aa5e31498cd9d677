/** The `hoop` that is installed where functions run: what needs nothing but a Hoop somewhere else, in one file (see apps/cli/scripts/package.ts). */
import process from 'node:process';

import { CommanderError } from 'commander';

import { addAgent } from './agent-command.ts';
import { addApprovals } from './approvals/approvals-command.ts';
import { addCa } from './ca-command.ts';
import { createProgram, type CommandContext } from './command-line.ts';
import { addExec } from './exec-command.ts';
import { addHelp } from './help-command.ts';
import { addCalls } from './investigate/calls-command.ts';
import { ownEnvironment, spareLoopbackFromProxies } from './environment.ts';
import { StartError } from './start-error.ts';
import { addToken } from './token-command.ts';
import { version } from './version.ts';

spareLoopbackFromProxies();

const stop = new AbortController();
const kill = new AbortController();
// A program that `exec` runs gets the signals itself, and decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream === process.stdout) stop.abort();
  });
}

const context: CommandContext = {
  exitCode: 0,
  io: {
    env: ownEnvironment(),
    out: (text) => void process.stdout.write(`${text}\n`),
    say: (sentence) => void process.stderr.write(`hoop: ${sentence}\n`),
    stop: stop.signal,
    kill: kill.signal,
  },
};
const program = createProgram(context.io.out).version(version, '--version', 'print the version');
addExec(program, context);
addAgent(program, context);
addCa(program, context);
addToken(program, context);
addApprovals(program, context);
addCalls(program, context);
addHelp(program);

try {
  await program.parseAsync(process.argv.slice(2), { from: 'user' });
  process.exitCode = context.exitCode;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof StartError) {
    context.io.say(error.message);
    process.exitCode = 1;
  } else throw error;
}

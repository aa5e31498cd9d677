/** Every command of the CLI. */
import { CommanderError, type Command } from 'commander';

import { addApprovals } from './approvals/approvals-command.ts';
import { addAgent } from './agent-command.ts';
import { addAudit } from './audit-command.ts';
import { addCa } from './ca-command.ts';
import { addCommand, createProgram, type CommandContext } from './command-line.ts';
import { addExec } from './exec-command.ts';
import { addHelp } from './help-command.ts';
import { addCalls } from './investigate/calls-command.ts';
import { addPolicy } from './investigate/policy-command.ts';
import { addSessions } from './investigate/sessions-command.ts';
import { addKeys } from './keys-command.ts';
import { localHoop } from './local-hoop.ts';
import { addRecordings } from './recordings-command.ts';
import { addRows } from './rows-command.ts';
import { addStart } from './start-command.ts';
import { addToken } from './token-command.ts';
import type { StartIo } from './start/start.ts';
import { version } from './version.ts';

function addVersion(program: Command, { out }: StartIo): void {
  program.version(version, '--version', 'print the version');
  addCommand(program, 'version', 'print the version').action(() => out(version));
}

/** Resolves to the exit code. @throws StartError with a sentence for the person at the terminal */
export async function runCommand(args: readonly string[], io: StartIo): Promise<number> {
  const context: CommandContext = { io, exitCode: 0 };
  const program = createProgram(io.out);
  addStart(program, async (options) => {
    // Loaded only here: the other commands need none of it.
    const { start } = await import('./start/start.ts');
    context.exitCode = await start(options, io);
  });
  addExec(program, context, localHoop);
  addAgent(program, context);
  addCa(program, context, localHoop);
  addToken(program, context);
  addKeys(program, context);
  addAudit(program, context);
  addRecordings(program, context);
  addRows(program, context);
  addApprovals(program, context);
  addSessions(program, context);
  addCalls(program, context);
  addPolicy(program, context);
  addVersion(program, io);
  addHelp(program);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
  return context.exitCode;
}

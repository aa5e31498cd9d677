import { audit, auditHelp } from './audit-command.ts';
import { execHelp, execute } from './exec-command.ts';
import { investigationCommands } from './investigate/index.ts';
import { keysHelp, makeDeploymentKeys } from './keys-command.ts';
import { recordings, recordingsHelp } from './recordings-command.ts';
import { rows, rowsHelp } from './rows-command.ts';
import { parseStartOptions, startHelp } from './start/options.ts';
import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';
import { version } from './version.ts';

const help = `Usage: hoop COMMAND

  start      start everything on this machine (see hoop help start)
  exec       run a program as a platform would (see hoop help exec)
  keys       make the keys of a deployment (see hoop help keys)
  audit      export the tamper-evident log, and verify an export (see hoop help audit)
  recordings check that what is recorded fits together (see hoop help recordings)
  rows       name rows of the database that Hoop did not write, or sign them (see hoop help rows)
${Object.entries(investigationCommands)
  .map(([name, { summary }]) => `  ${name.padEnd(11)}${summary} (see hoop help ${name})\n`)
  .join('')}  version    print the version
  help       print this
`;

const helps: Readonly<Record<string, string>> = {
  start: startHelp,
  exec: execHelp,
  keys: keysHelp,
  audit: auditHelp,
  recordings: recordingsHelp,
  rows: rowsHelp,
  ...helpsOf(investigationCommands),
};

function helpsOf(commands: typeof investigationCommands): Record<string, string> {
  return Object.fromEntries(Object.entries(commands).map(([name, command]) => [name, command.help]));
}

/** Resolves to the exit code. @throws StartError with a sentence for the person at the terminal */
export async function runCommand(args: readonly string[], io: StartIo): Promise<number> {
  const [name = 'help', ...rest] = args;
  const investigation = Object.hasOwn(investigationCommands, name) ? investigationCommands[name] : undefined;
  if (investigation !== undefined) {
    if (!rest.includes('--help') && !rest.includes('-h')) return investigation.run(rest, io);
    io.out(investigation.help);
    return 0;
  }
  switch (name) {
    case 'start': {
      if (rest.includes('--help') || rest.includes('-h')) {
        io.out(startHelp);
        return 0;
      }
      const options = parseStartOptions(rest);
      // Loaded only here: the other commands need none of it.
      const { start } = await import('./start/start.ts');
      return start(options, io);
    }
    case 'exec':
      return execute(rest, io.env, io.stop);
    case 'keys':
      io.out(`The keys are in ${await makeDeploymentKeys(rest)}.`);
      return 0;
    case 'audit':
      return audit(rest, io);
    case 'recordings':
      return recordings(rest, io);
    case 'rows':
      return rows(rest, io);
    case 'version':
    case '--version':
      io.out(version);
      return 0;
    case 'help':
    case '--help':
    case '-h':
      io.out(helps[rest[0] ?? ''] ?? help);
      return 0;
    default:
      throw new StartError(`There is no command "${name}". See hoop help.`);
  }
}

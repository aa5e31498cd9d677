/** `hoop exec`: runs a program as a platform would, with what it needs to find Hoop and to say who it is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import type { Command } from 'commander';

import { addCommand, type CommandContext } from './command-line.ts';
import { platformToken } from './demo/platform-token.ts';
import { readDemoSettings } from './demo/settings.ts';
import { readAddresses } from './start/addresses.ts';
import type { StartIo } from './start/start.ts';
import { nodeArguments } from './start/supervisor.ts';
import { StartError } from './start-error.ts';

/** Adds `hoop exec`. */
export function addExec(program: Command, context: CommandContext): void {
  addCommand(program, 'exec', 'run a program as a platform would', 'hoop exec needs a command after "--".')
    .usage('[options] -- COMMAND [ARGUMENT…]')
    .description(
      `Runs COMMAND with HOOP_URL set to the Hoop that runs on the data folder and, with --as, with a token of the demonstration's identity provider in HOOP_TOKEN. Its exit code is COMMAND's.`,
    )
    .argument('<command...>', 'the program and its arguments')
    .option('--data-dir <folder>', 'of the running Hoop', '.hoop')
    .option('--as <machine>', 'who the program is: a machine that the identity provider knows, e.g. my-function')
    // Options behind the program's name are the program's.
    .passThroughOptions()
    .action(async ([name, ...rest]: [string, ...string[]], flags: ExecFlags) => {
      context.exitCode = await execute(name, rest, flags, context.io);
    });
}

interface ExecFlags {
  readonly dataDir: string;
  readonly as?: string;
}

async function execute(program: string, args: readonly string[], flags: ExecFlags, { env, stop }: StartIo): Promise<number> {
  const folder = path.resolve(flags.dataDir);
  const { controlPlane } = await readAddresses(folder);
  const given: NodeJS.ProcessEnv = {
    ...env,
    HOOP_URL: controlPlane,
    NODE_OPTIONS: [env['NODE_OPTIONS'], ...nodeArguments].filter(Boolean).join(' '),
  };
  if (flags.as !== undefined) {
    const settings = await readDemoSettings(path.join(folder, 'demo'));
    if (settings === undefined)
      throw new StartError(`No demonstration was set up in ${folder}, so there is no identity provider for --as.`);
    given['HOOP_TOKEN'] = await platformToken(settings, flags.as);
  }
  const child = spawn(program, args, { env: given, stdio: 'inherit' });
  stop.addEventListener('abort', () => child.kill('SIGTERM'));
  const [code, signal] = (await once(child, 'exit').catch((error: Error) => {
    throw new StartError(`${program} could not be started: ${error.message}.`, { cause: error });
  })) as [number | null, NodeJS.Signals | null];
  return signal === null ? (code ?? 1) : 1;
}

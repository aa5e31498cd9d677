/** `hoop exec`: runs a program as a platform would, with what it needs to find Hoop and to say who it is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { platformToken } from './demo/platform-token.ts';
import { readDemoSettings } from './demo/settings.ts';
import { readAddresses } from './start/addresses.ts';
import { nodeArguments } from './start/supervisor.ts';
import { StartError } from './start-error.ts';

export const execHelp = `Usage: hoop exec [options] -- COMMAND [ARGUMENT…]

Runs COMMAND with HOOP_URL set to the Hoop that runs on the data folder and, with --as, with a token of the
demonstration's identity provider in HOOP_TOKEN. Its exit code is COMMAND's.

  --data-dir FOLDER    of the running Hoop (default .hoop)
  --as MACHINE         who the program is: a machine that the identity provider knows, e.g. my-function
`;

export async function execute(args: readonly string[], env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<number> {
  const split = args.indexOf('--');
  const [program, ...rest] = split === -1 ? [] : args.slice(split + 1);
  if (program === undefined) throw new StartError('hoop exec needs a command after "--". See hoop help exec.');
  let values;
  try {
    ({ values } = parseArgs({ args: args.slice(0, split), options: { 'data-dir': { type: 'string' }, as: { type: 'string' } } }));
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('. ')[0]!}. See hoop help exec.`, { cause: error });
  }
  const folder = path.resolve(values['data-dir'] ?? '.hoop');
  const { controlPlane } = await readAddresses(folder);
  const given: NodeJS.ProcessEnv = {
    ...env,
    HOOP_URL: controlPlane,
    NODE_OPTIONS: [env['NODE_OPTIONS'], ...nodeArguments].filter(Boolean).join(' '),
  };
  if (values.as !== undefined) {
    const settings = await readDemoSettings(path.join(folder, 'demo'));
    if (settings === undefined)
      throw new StartError(`No demonstration was set up in ${folder}, so there is no identity provider for --as.`);
    given['HOOP_TOKEN'] = await platformToken(settings, values.as);
  }
  const child = spawn(program, rest, { env: given, stdio: 'inherit' });
  stop.addEventListener('abort', () => child.kill('SIGTERM'));
  const [code, signal] = (await once(child, 'exit').catch((error: Error) => {
    throw new StartError(`${program} could not be started: ${error.message}.`, { cause: error });
  })) as [number | null, NodeJS.Signals | null];
  return signal === null ? (code ?? 1) : 1;
}

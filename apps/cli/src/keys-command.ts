/** `hoop keys FOLDER`: the keys of a deployment, each a file of mode 0600; what is there already stays. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';

import type { Command } from 'commander';

import { addCommand, type CommandContext } from './command-line.ts';
import { makeKeys, newAdminToken, newSecret, readOrMake } from './start/keys.ts';
import { StartError } from './start-error.ts';

/** Adds `hoop keys`. */
export function addKeys(program: Command, { io }: CommandContext): void {
  addCommand(program, 'keys', 'make the keys of a deployment', 'hoop keys needs the name of one folder.')
    .description('Makes the keys of a deployment in a folder, each a file of mode 0600. Files that are there already stay as they are.')
    .argument('<folder>', 'where the keys are kept')
    .option('--compose', "also the passwords and URLs of docker-compose.yml's Postgres and Redis")
    .action(async (given: string, { compose }: { compose?: true }) => {
      io.out(`The keys are in ${await makeDeploymentKeys(given, compose === true)}.`);
    });
}

async function makeDeploymentKeys(given: string, isForCompose: boolean): Promise<string> {
  const folder = path.resolve(given);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartError(`The folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
  const keys = await makeKeys(folder);
  await readOrMake(keys.bootstrapTokenFile, newAdminToken);
  if (isForCompose) {
    const redisPassword = await readOrMake(path.join(folder, 'redis-password'), newSecret);
    await readOrMake(path.join(folder, 'database-url'), () => `postgresql://hoop:${keys.postgresPassword}@postgres:5432/hoop`);
    await readOrMake(path.join(folder, 'redis-url'), () => `redis://:${redisPassword}@redis:6379`);
  }
  return folder;
}

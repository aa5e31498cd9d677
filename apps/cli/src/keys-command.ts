/** `hoop keys FOLDER`: the keys of a deployment, each a file of mode 0600; what is there already stays. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { makeKeys, newAdminToken, newSecret, readOrMake } from './start/keys.ts';
import { StartError } from './start-error.ts';

export const keysHelp = `Usage: hoop keys FOLDER [--compose]

Makes the keys of a deployment in FOLDER, each a file of mode 0600. Files that are there already stay as they are.

  --compose    also the passwords and URLs of docker-compose.yml's Postgres and Redis
`;

export async function makeDeploymentKeys(args: readonly string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args: [...args], strict: false, options: { compose: { type: 'boolean' } } });
  const [given] = positionals;
  if (given === undefined || positionals.length > 1) throw new StartError('hoop keys needs the name of one folder. See hoop help keys.');
  const folder = path.resolve(given);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartError(`The folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
  const keys = await makeKeys(folder);
  await readOrMake(keys.bootstrapTokenFile, newAdminToken);
  if (values['compose'] === true) {
    const redisPassword = await readOrMake(path.join(folder, 'redis-password'), newSecret);
    await readOrMake(path.join(folder, 'database-url'), () => `postgresql://hoop:${keys.postgresPassword}@postgres:5432/hoop`);
    await readOrMake(path.join(folder, 'redis-url'), () => `redis://:${redisPassword}@redis:6379`);
  }
  return folder;
}

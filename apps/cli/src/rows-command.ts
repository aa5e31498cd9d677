/** `hoop rows`: which signed rows of the database do not hold, and signing them by somebody who has the control plane's key. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';

import type { RowFault, RowJwkSet, RowKind } from '@hoop/database';

import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';

export const rowsHelp = `Usage: hoop rows list [--kind KIND] [--key-file FILE] [--data-dir FOLDER] [--json]
       hoop rows sign [--kind KIND] [--id ID]… --yes [--key-file FILE] [--data-dir FOLDER] [--json]

Hoop uses no row that it did not sign. list names those whose signature does not hold; sign signs them as they stand, which
makes them good: for a database from before rows were signed, or after the key was lost. Look at them first: a row that
somebody changed is signed too. One audit event for each kind says which rows were signed.
DATABASE_URL says where the database is. Exit code of list: 0 where every row holds, else 1.

  --kind KIND        only rows of this kind, e.g. connection, admin_token, audit_event
  --id ID            only this row; may be given again
  --yes              sign them
  --key-file FILE    the control plane's private keys; default keys/rows.private.jwks.json in the data folder
  --data-dir FOLDER  default .hoop
  --json             print a JSON object a row
`;

const options = {
  kind: { type: 'string' },
  id: { type: 'string', multiple: true },
  yes: { type: 'boolean' },
  'key-file': { type: 'string' },
  'data-dir': { type: 'string' },
  json: { type: 'boolean' },
} as const;

async function readRowKeys(file: string): Promise<RowJwkSet> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RowJwkSet;
  } catch {
    // The parser's message could quote the key.
    throw new StartError(`The key file ${file} cannot be read as JSON.`);
  }
}

function kindOf(given: string | undefined, allRowKinds: readonly RowKind[]): { kinds?: readonly RowKind[] } {
  if (given === undefined) return {};
  const kind = allRowKinds.find((one) => one === given);
  if (kind === undefined) throw new StartError(`There are no rows of the kind "${given}". See hoop help rows.`);
  return { kinds: [kind] };
}

/** Resolves to the exit code. @throws StartError with a sentence */
export async function rows(args: readonly string[], io: StartIo): Promise<number> {
  const [verb, ...rest] = args;
  if (verb !== 'list' && verb !== 'sign') throw new StartError('hoop rows knows list and sign. See hoop help rows.');
  let values;
  try {
    ({ values } = parseArgs({ args: rest, options, strict: true }));
  } catch (error) {
    throw new StartError(`${(error as Error).message}. See hoop help rows.`, { cause: error });
  }
  const isSigning = verb === 'sign';
  if (isSigning && values.yes !== true)
    throw new StartError('hoop rows sign makes rows good as they stand. Look at hoop rows list first, then say --yes.');
  const databaseUrl = io.env['DATABASE_URL'];
  if (!databaseUrl) throw new StartError('DATABASE_URL is not set: it says which database is meant.');
  const controlPlane = await readRowKeys(values['key-file'] ?? path.join(values['data-dir'] ?? '.hoop', 'keys', 'rows.private.jwks.json'));

  // Loaded only here: most commands need none of it.
  const { allRowKinds, openDatabase, signRows } = await import('@hoop/database');
  const kinds = kindOf(values.kind, allRowKinds);
  const database = openDatabase(databaseUrl, { maxConnections: 1, rows: { controlPlane } });
  let faults: RowFault[];
  try {
    faults = await signRows(database, { write: isSigning, ...kinds, ...(values.id === undefined ? {} : { ids: values.id }) });
  } catch (error) {
    throw new StartError(`The rows could not be read or signed: ${(error as Error).message}`, { cause: error });
  } finally {
    await database.close();
  }
  for (const { kind, id, detail } of faults) io.out(values.json === true ? JSON.stringify({ kind, id, detail }) : `${kind}  ${id}`);
  io.say(isSigning ? `${faults.length} rows were signed.` : `${faults.length} rows do not hold.`);
  return !isSigning && faults.length > 0 ? 1 : 0;
}

/** `hoop rows`: which signed rows of the database do not hold, and signing them by somebody who has the control plane's key. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import type { RowFault, RowJwkSet, RowKind } from '@hoop/database';
import type { Command } from 'commander';

import { addCommand, addVerb, needVerb, type CommandContext } from './command-line.ts';
import type { StartIo } from './start/start.ts';
import { StartError } from './start-error.ts';

const description = `Hoop uses no row that it did not sign. list names those whose signature does not hold; sign signs them as they stand, which makes them good: for a database from before rows were signed, or after the key was lost. Look at them first: a row that somebody changed is signed too. One audit event for each kind says which rows were signed.
DATABASE_URL says where the database is. Exit code of list: 0 where every row holds, else 1.`;

interface RowFlags {
  readonly kind?: string;
  readonly id?: readonly string[];
  readonly yes?: true;
  readonly keyFile?: string;
  readonly dataDir: string;
  readonly json?: true;
}

/** Adds `hoop rows`. */
export function addRows(program: Command, context: CommandContext): void {
  const command = addCommand(program, 'rows', 'name rows of the database that Hoop did not write, or sign them').description(description);
  for (const [verb, summary] of [
    ['list', 'names the rows whose signature does not hold'],
    ['sign', 'signs these rows as they stand'],
  ] as const) {
    const isSigning = verb === 'sign';
    const added = addVerb(command, verb, summary)
      .option('--kind <kind>', 'only rows of this kind, e.g. connection, admin_token, audit_event')
      .option('--id <id>', 'only this row; may be given again', (id: string, ids: readonly string[] | undefined) => [...(ids ?? []), id])
      .option('--key-file <file>', "the control plane's private keys (default keys/rows.private.jwks.json in the data folder)")
      .option('--data-dir <folder>', 'of the Hoop', '.hoop')
      .option('--json', 'print a JSON object a row')
      .action(async (flags: RowFlags) => {
        context.exitCode = await rows(isSigning, flags, context.io);
      });
    if (isSigning) added.option('--yes', 'sign them');
  }
  needVerb(command, 'hoop rows knows list and sign.');
}

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
async function rows(isSigning: boolean, values: RowFlags, io: StartIo): Promise<number> {
  if (isSigning && values.yes !== true)
    throw new StartError('hoop rows sign makes rows good as they stand. Look at hoop rows list first, then say --yes.');
  const databaseUrl = io.env['DATABASE_URL'];
  if (!databaseUrl) throw new StartError('DATABASE_URL is not set: it says which database is meant.');
  const controlPlane = await readRowKeys(values.keyFile ?? path.join(values.dataDir, 'keys', 'rows.private.jwks.json'));

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

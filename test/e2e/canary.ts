/** Looks for secrets where they must not be: in every file, and in every row of every table. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import pg from 'pg';

/** The needle as it is and in the notations in which a secret is likely to be written. */
export function notations(needle: string): Map<string, string> {
  const found = new Map<string, string>([
    ['as it is', needle],
    ['hex', Buffer.from(needle).toString('hex')],
  ]);
  for (let shift = 0; shift < 3; shift++) {
    // The part of the base64 that does not depend on the bytes before and after.
    const bytes = Buffer.from('\0'.repeat(shift) + needle);
    const text = bytes.toString('base64').replace(/=+$/, '');
    found.set(`base64, alignment ${shift}`, text.slice(Math.ceil((shift * 8) / 6), Math.floor((bytes.length * 8) / 6) - 1));
  }
  return found;
}

function seenIn(where: string, content: Buffer, needles: readonly string[]): string[] {
  const seen: string[] = [];
  for (const needle of needles) {
    for (const [notation, text] of notations(needle)) if (content.includes(text)) seen.push(`${where}: ${needle} (${notation})`);
  }
  return seen;
}

/** Every place in the folder's files where a needle is. */
export async function searchFiles(folder: string, needles: readonly string[]): Promise<string[]> {
  const seen: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    seen.push(...seenIn(file, await readFile(file), needles));
  }
  return seen;
}

/** Every place in the database's tables, of all schemas, where a needle is; and how many rows were looked at. */
export async function searchDatabase(url: string, needles: readonly string[]): Promise<{ seen: string[]; rows: number }> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    );
    const seen: string[] = [];
    let rows = 0;
    for (const { name } of tables) {
      const { rows: lines } = await client.query<{ line: string }>(`select to_jsonb(t)::text as line from ${name} t`);
      rows += lines.length;
      for (const { line } of lines) {
        seen.push(...seenIn(name, Buffer.from(line), needles));
        // bytea columns are written as \x and hex.
        for (const [hex] of line.matchAll(/(?<=\\\\x)[0-9a-f]{8,}/g))
          seen.push(...seenIn(`${name} (bytes)`, Buffer.from(hex, 'hex'), needles));
      }
    }
    return { seen, rows };
  } finally {
    await client.end();
  }
}

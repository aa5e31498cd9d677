import type { IngestClient } from './ingest-client.ts';

/** SHA-256 (hex) of data keys as they are stored, wrapped; by id. */
export async function dataKeyHashes(client: IngestClient, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ id: string; hash: string }>({
    name: 'data-key-hashes',
    text: `SELECT id, encode(sha256(convert_to(wrapped, 'UTF8')), 'hex') AS hash FROM data_keys WHERE id = ANY($1::text[])`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, row.hash]));
}

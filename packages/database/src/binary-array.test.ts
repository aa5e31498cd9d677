import { createTestDatabase } from '@hoop/testkit';
import type { TestDatabase } from '@hoop/testkit';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { binaryArray } from './binary-array.ts';
import type { ArrayElement } from './binary-array.ts';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

/** What Postgres has of each element, as text. */
async function asText(type: ArrayElement, values: readonly unknown[]): Promise<(string | null)[]> {
  const { rows } = await client.query<{ text: string | null }>(
    `SELECT v::text AS text FROM unnest($1::${type}[]) WITH ORDINALITY AS r(v, n) ORDER BY n`,
    [binaryArray(type, values)],
  );
  return rows.map((row) => row.text);
}

const instants = [0, -1, 946_684_800_000, Date.UTC(2026, 10, 27, 1, 2, 3, 4), -210_866_803_200_000, 8.64e15];

describe('an array in the binary format of Postgres', () => {
  test.each<[ArrayElement, readonly unknown[], readonly (string | null)[]]>([
    ['text', [], []],
    ['text', ['', null, 'é😀', '{"}\\,NULL', 'NULL'], ['', null, 'é😀', '{"}\\,NULL', 'NULL']],
    ['jsonb', ['{"a":[1,"x"]}', null, 'null'], ['{"a": [1, "x"]}', null, 'null']],
    ['integer', [0, -1, 2 ** 31 - 1, -(2 ** 31), null], ['0', '-1', '2147483647', '-2147483648', null]],
    ['boolean', [true, false, null], ['true', 'false', null]],
    ['bytea', [Buffer.of(0, 255), null, new Uint8Array(0)], ['\\x00ff', null, '\\x']],
  ])('holds %s', async (type, values, texts) => {
    expect(await asText(type, values)).toEqual(texts);
  });

  test('holds instants to the millisecond, as far as Postgres has any', async () => {
    const { rows } = await client.query<{ ms: string }>(
      'SELECT (extract(epoch FROM v) * 1000)::bigint AS ms FROM unnest($1::timestamptz[]) WITH ORDINALITY AS r(v, n) ORDER BY n',
      [binaryArray('timestamptz', instants)],
    );
    expect(rows.map((row) => Number(row.ms))).toEqual(instants);
    await expect(asText('timestamptz', [-8.64e15])).rejects.toMatchObject({ code: '22008' });
  });

  test('holds any text (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.option(
            fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
            { nil: null },
          ),
        ),
        async (values) => {
          expect(await asText('text', values)).toEqual(values);
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each([[2 ** 31], [1.5], [Number.NaN]])('is not made with the integer %s', (number) => {
    expect(() => binaryArray('integer', [number])).toThrow(RangeError);
  });
});

/**
 * Writes rows of calls, many with one statement. Postgres spends most of such a statement on reading its parameters, so
 * what many calls have in common (who called, by which rule, with which headers) is handed over once, and joined to each.
 */
import { binaryArray } from '../binary-array.ts';
import type { AlertFacts } from './enqueue-alerts.ts';
import { columnsOfCalls, headColumns, outcomeColumns } from './call-row.ts';
import type { CallColumn, NewCall } from './call-row.ts';
import type { IngestClient } from './ingest-client.ts';
import { jsonForPostgres, textForPostgres } from './json-for-postgres.ts';

/** The effect of a write on a call. */
export interface Change extends AlertFacts {
  /** See `Call.previous` in the schema. */
  readonly previous: string | null;
}

/** Columns of which each call has its own value. */
const ownNames = new Set<string>([
  'id',
  'at',
  'url',
  'path',
  'concluded_at',
  'response_headers',
  'timings',
  'request_body',
  'response_body',
]);
const own = columnsOfCalls.filter(({ name }) => ownNames.has(name));
const requestHeaders = columnsOfCalls.find(({ name }) => name === 'request_headers')!;
const common = columnsOfCalls.filter((column) => column !== requestHeaders && !own.includes(column));

/** True where the stored row has no real outcome yet, and the new one brings an outcome that says more. */
const concludes = `(calls.state = 'pending' AND excluded.state <> 'pending' OR calls.state = 'unknown' AND excluded.state NOT IN ('pending', 'unknown'))`;
const completes = `(NOT calls.has_head AND excluded.has_head)`;

const namesOf = (columns: readonly CallColumn[]): string => columns.map(({ name }) => name).join(', ');
const arraysOf = (columns: readonly CallColumn[], from: number): string =>
  columns.map(({ type }, index) => `$${from + index}::${type}[]`).join(', ');
const replaced = (names: readonly string[], condition: string): string =>
  names.map((name) => `${name} = CASE WHEN ${condition} THEN excluded.${name} ELSE calls.${name} END`).join(', ');

const headersAt = common.length + 1;
const ownAt = headersAt + 1;
const keysAt = ownAt + own.length;

const upsert = `
  WITH common AS MATERIALIZED (SELECT * FROM unnest(${arraysOf(common, 1)}) WITH ORDINALITY AS c(${namesOf(common)}, common_key)),
       headers AS MATERIALIZED (SELECT * FROM unnest($${headersAt}::jsonb[]) WITH ORDINALITY AS h(request_headers, headers_key))
  INSERT INTO calls (${namesOf(columnsOfCalls)})
  SELECT ${namesOf(columnsOfCalls)}
    FROM unnest(${arraysOf(own, ownAt)}, $${keysAt}::integer[], $${keysAt + 1}::integer[]) AS o(${namesOf(own)}, common_key, headers_key)
    JOIN common USING (common_key) JOIN headers USING (headers_key)
  ON CONFLICT (id) DO UPDATE SET
    previous = calls.state || CASE WHEN calls.has_head THEN '' ELSE '?' END,
    has_head = calls.has_head OR excluded.has_head,
    at = CASE WHEN ${completes} THEN excluded.at ELSE calls.at END,
    state = CASE WHEN ${concludes} THEN excluded.state ELSE calls.state END,
    ${replaced(Object.keys(headColumns), completes)},
    ${replaced(Object.keys(outcomeColumns), concludes)}
  WHERE calls.purged_at IS NULL AND (${concludes} OR ${completes})
  RETURNING id, state, has_head, previous, credential_reflected,
    CASE WHEN credential_reflected THEN connection_id END AS connection_id,
    CASE WHEN credential_reflected THEN lease_fingerprint END AS lease_fingerprint`;

/**
 * Inserts calls, or completes rows that are there: `unknown` never replaces a real outcome, a real one replaces `unknown`,
 * a second real one changes nothing.
 * @param calls sorted by id, each once
 * @returns the rows that were inserted or changed
 */
export async function upsertCalls(client: IngestClient, calls: readonly NewCall[]): Promise<Change[]> {
  const commons = new Numbering<NewCall>();
  const headers = new Numbering<string | null>();
  const commonKeys: number[] = [];
  const headersKeys: number[] = [];
  for (const call of calls) {
    commonKeys.push(commons.numberOf(JSON.stringify(common.map(({ member }) => call[member])), call));
    const text = call.requestHeaders === null ? null : jsonForPostgres(call.requestHeaders);
    headersKeys.push(headers.numberOf(text ?? '', text));
  }
  // Not named: a plan that is made without knowing how many rows there are takes nested loops. The one that is made here
  // goes through the calls in their order, by which two transactions that write the same ones lock them alike.
  const { rows } = await client.query<Change>(upsert, [
    ...valuesOf(common, commons.values),
    binaryArray('jsonb', headers.values),
    ...valuesOf(own, calls),
    binaryArray('integer', commonKeys),
    binaryArray('integer', headersKeys),
  ]);
  return rows;
}

/** Distinct values, numbered from 1 as they come. */
class Numbering<T> {
  readonly values: T[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(key: string, value: T): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.values.push(value);
    this.#numbers.set(key, number);
    return number;
  }
}

/** An array for each column. */
const valuesOf = (columns: readonly CallColumn[], calls: readonly NewCall[]): Buffer[] =>
  columns.map(({ member, type }) =>
    binaryArray(
      type,
      calls.map((call) => toWritten(type, call[member])),
    ),
  );

function toWritten(type: CallColumn['type'], value: unknown): unknown {
  if (value === null) return null;
  if (type === 'text') return textForPostgres(value as string);
  if (type === 'jsonb') return jsonForPostgres(value);
  return type === 'timestamptz' ? (value as Date).getTime() : value;
}

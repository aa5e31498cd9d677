/**
 * Compares what is signed with what it is signed by, a part at a time: every signed row with its signature and with the
 * audit trail, every audit event with the log, and every leaf of the log with its record and with the tree.
 */
import { createCompactRange, logLeafHash, nodeHash, sameHash } from '@hoop/recording';

import type { Database, Transaction } from '../database.ts';
import { readLeaves, type LeafRecord } from '../log/log.ts';
import { storedLevel, tileLeaves } from '../log/nodes.ts';
import type { RecordCheck, RecordFinding } from '../records/check-records.ts';
import { bindGuard, guardOf } from '../row-signatures/guard.ts';
import { allRowKinds, type RowKind } from '../row-signatures/kinds.ts';
import { definitionOf, idOfRow, type Row } from '../row-signatures/message.ts';
import { readRowsAfter } from '../row-signatures/rows.ts';
import { checkTrail } from './check-trail.ts';
import { compareWithTrail } from './compare-trail.ts';

/** Where the check begins. */
export const integrityStart = 'rows.';

/** True for a position in this check, not in that of the calls. */
export const isIntegrityPosition = (after: string): boolean => /^(?:rows|trail|leaves)\./.test(after);

/** Rows of one part: each may cost a signature, a tenth of a millisecond. */
const maxRows = 500;

/**
 * One part, as of one moment. Repairs nothing: what is not as it was signed is for people to look at.
 *
 * @param after `integrityStart`, or `next` of the part before
 */
export async function checkIntegrity(database: Database, after: string, limit: number): Promise<RecordCheck> {
  return database.prisma.$transaction(
    async (tx) => {
      bindGuard(tx, guardOf(database.prisma));
      const [phase, ...rest] = after.split('.');
      const position = rest.join('.');
      if (phase === 'rows') return checkRows(tx, position, Math.min(limit, maxRows));
      if (phase === 'trail') return checkTrail(tx, position, Math.min(limit, maxRows));
      return checkLeaves(tx, Number(position));
    },
    { isolationLevel: 'RepeatableRead', maxWait: 5000, timeout: 60_000 },
  );
}

/** `KIND` or `KIND.` and the key of the last row that was looked at. */
async function checkRows(tx: Transaction, position: string, limit: number): Promise<RecordCheck> {
  const [name = '', encoded] = position.split('.');
  const kind = name === '' ? allRowKinds[0]! : (name as RowKind);
  const at = allRowKinds.indexOf(kind);
  if (at === -1) return { checked: 0, findings: [], next: 'trail.' };
  const guard = guardOf(tx);
  const rows = await readRowsAfter(tx, kind, encoded === undefined ? null : keyFrom(kind, encoded), limit);
  const findings: RecordFinding[] = [];
  const good = [];
  for (const row of rows) {
    const fault = guard.faultOf(kind, row);
    if (fault === null) good.push(row);
    else findings.push({ kind: 'row_not_authentic', id: fault.id, detail: fault.detail, repaired: false });
  }
  findings.push(
    ...(await compareWithTrail(
      tx,
      kind,
      good.map((row) => idOfRow(kind, row)),
      good,
    )),
  );
  const following = allRowKinds[at + 1];
  const end = following === undefined ? 'trail.' : `rows.${following}`;
  return { checked: rows.length, findings, next: rows.length < limit ? end : `rows.${kind}.${keyText(kind, rows.at(-1)!)}` };
}

const keyText = (kind: RowKind, row: Row): string =>
  Buffer.from(JSON.stringify(definitionOf(kind).key.map((column) => row[column]))).toString('base64url');

function keyFrom(kind: RowKind, text: string): Row {
  const values = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[];
  return Object.fromEntries(definitionOf(kind).key.map((column, i) => [column, values[i]]));
}

/** Tiles of one part. */
const tiles = 4;

async function checkLeaves(tx: Transaction, start: number): Promise<RecordCheck> {
  const { size: stored } = await tx.logState.findUniqueOrThrow({ where: { id: 1 } });
  const size = Number(stored);
  const end = Math.min(size, start + tiles * tileLeaves);
  const leaves = await readLeaves(tx, start, end);
  const findings = [...(await lostRecords(tx, leaves)), ...(await changedNodes(tx, leaves, start, end))];
  return { checked: leaves.length, findings, next: end >= size ? null : `leaves.${end}` };
}

/** Records that have a leaf and are gone. */
async function lostRecords(tx: Transaction, leaves: readonly LeafRecord[]): Promise<RecordFinding[]> {
  const idsOf = (isEvent: boolean): string[] => [
    ...new Set(leaves.filter((leaf) => (leaf.kind === 'audit_event') === isEvent).map((leaf) => leaf.refId)),
  ];
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM unnest(${idsOf(true)}::text[]) AS r(id) WHERE NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.id = r.id)
    UNION ALL
    SELECT id FROM unnest(${idsOf(false)}::text[]) AS r(id) WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.id = r.id)`;
  return rows.map(({ id }) => ({
    kind: 'record_missing',
    id,
    detail: `${id} has a leaf in the log and no longer exists: it was removed.`,
    repaired: false,
  }));
}

/** Whole tiles against the stored nodes over them, and each of those nodes against its two halves. */
async function changedNodes(tx: Transaction, leaves: readonly LeafRecord[], start: number, end: number): Promise<RecordFinding[]> {
  const findings: RecordFinding[] = [];
  const changed = (id: string, detail: string): void => void findings.push({ kind: 'log_changed', id, detail, repaired: false });
  const nodeOf = async (level: number, index: number): Promise<Uint8Array | null> =>
    (await tx.logNode.findUnique({ where: { level_index: { level, index: BigInt(index) } } }))?.hash ?? null;
  const byIndex = new Map(leaves.map((leaf) => [leaf.index, leaf]));
  for (let tile = start / tileLeaves; (tile + 1) * tileLeaves <= end; tile++) {
    const range = createCompactRange();
    for (let index = tile * tileLeaves; index < (tile + 1) * tileLeaves; index++) {
      const leaf = byIndex.get(index);
      if (leaf !== undefined) range.append(logLeafHash(leaf.kind, leaf.refId, leaf.digest));
    }
    const node = await nodeOf(storedLevel, tile);
    if (node === null || range.size() !== tileLeaves || !sameHash(range.root(), node))
      changed(
        `leaves ${tile * tileLeaves}`,
        `The leaves ${tile * tileLeaves} to ${(tile + 1) * tileLeaves - 1} of the log are not those that were signed: one was changed, removed or added.`,
      );
    for (let level = storedLevel + 1, index = tile; index % 2 === 1; level++) {
      index = (index - 1) / 2;
      const [left, right, parent] = [
        await nodeOf(level - 1, 2 * index),
        await nodeOf(level - 1, 2 * index + 1),
        await nodeOf(level, index),
      ];
      if (left === null || right === null || parent === null || !sameHash(nodeHash(left, right), parent))
        changed(`node ${level}/${index}`, `The node ${level}/${index} of the log is not made of its halves: it was changed.`);
    }
  }
  return findings;
}

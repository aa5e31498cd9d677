/**
 * An export of the log: NDJSON, each line the canonical JSON (RFC 8785) of one of
 * - the header, first: `{ format, checkpoint, verifierKey }`; the checkpoint is the signed note of the whole export;
 * - a leaf: `{ index, kind, id, digest, content, record? }`, in order from 0;
 * - after each 256 leaves, and after the last: `{ tile, hashes, root }`, the leaf hashes of these leaves (base64 of 32
 *   bytes each) and the root over them as the log keeps it (null for the last, which may not be whole): what shows
 *   which leaf was changed, removed, inserted or moved;
 * - a checkpoint: `{ checkpoint }`, the note that was signed when the log had the size of the leaves so far.
 */
import { parseJson } from '@hoop/contract';
import { canonicalJson } from '../canonical-json.ts';
import type { Hash } from '../merkle/tree.ts';
import { logLeafKinds } from './leaf.ts';
import type { LogLeafKind } from './leaf.ts';

export const exportFormat = 'hoop-log-export/1';
/** Leaves of a tile. */
export const tileLeaves = 256;

/**
 * `here`: `record` is what the digest is of. Otherwise there is none: a later leaf of the same record has it
 * (`superseded`), retention removed it and a later leaf says what is left (`purged`), it is gone (`missing`), or a
 * further leaf of it waits to be sequenced (`unsettled`).
 */
export type Content = 'here' | 'superseded' | 'purged' | 'missing' | 'unsettled';
const contents: readonly Content[] = ['here', 'superseded', 'purged', 'missing', 'unsettled'];

export interface ExportedLeaf {
  readonly index: number;
  readonly kind: LogLeafKind;
  readonly id: string;
  /** SHA-256, hex. */
  readonly digest: string;
  readonly content: Content;
  readonly record?: Readonly<Record<string, unknown>>;
}

const line = (value: unknown): string => `${canonicalJson(value)}\n`;

export const headerLine = (checkpoint: string, verifierKey: string): string => line({ format: exportFormat, checkpoint, verifierKey });
export const leafLine = (leaf: ExportedLeaf): string => line({ ...leaf });
export const checkpointLine = (checkpoint: string): string => line({ checkpoint });
export const tileLine = (tile: number, hashes: readonly Hash[], root: Hash | null): string =>
  line({ tile, hashes: Buffer.concat(hashes).toString('base64'), root: root === null ? null : Buffer.from(root).toString('base64') });

export type ExportLine =
  | { readonly type: 'header'; readonly checkpoint: string; readonly verifierKey: string }
  | { readonly type: 'leaf'; readonly leaf: ExportedLeaf }
  | { readonly type: 'tile'; readonly tile: number; readonly hashes: Hash[]; readonly root: Hash | null }
  | { readonly type: 'checkpoint'; readonly checkpoint: string };

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';

/** Null for what none of our lines is: also for a line that says the same in another spelling. */
export function parseExportLine(text: string): ExportLine | null {
  let value: unknown;
  try {
    value = parseJson(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || canonicalJson(value) !== text) return null;
  } catch {
    return null;
  }
  const members = value as Record<string, unknown>;
  const has = (...names: string[]): boolean => Object.keys(members).toSorted().join() === names.toSorted().join();
  const { checkpoint, verifierKey, tile, hashes, root } = members;
  if (has('format', 'checkpoint', 'verifierKey') && members['format'] === exportFormat && isText(checkpoint) && isText(verifierKey)) {
    return { type: 'header', checkpoint, verifierKey };
  }
  if (has('checkpoint') && isText(checkpoint)) return { type: 'checkpoint', checkpoint };
  if (has('tile', 'hashes', 'root') && isCount(tile) && isText(hashes) && (root === null || isText(root))) {
    const list = hashesOf(hashes);
    const one = root === null ? null : hashesOf(root);
    if (list === null || list.length > tileLeaves || (root !== null && one?.length !== 1)) return null;
    return { type: 'tile', tile, hashes: list, root: one === null ? null : one[0]! };
  }
  return leafOf(members, has);
}

function leafOf(members: Record<string, unknown>, has: (...names: string[]) => boolean): ExportLine | null {
  const { index, kind, id, digest, content, record } = members;
  const isLeaf =
    has('index', 'kind', 'id', 'digest', 'content', ...('record' in members ? ['record'] : [])) &&
    isCount(index) &&
    logLeafKinds.includes(kind as LogLeafKind) &&
    isText(id) &&
    isText(digest) &&
    /^[0-9a-f]{64}$/.test(digest) &&
    contents.includes(content as Content) &&
    (content === 'here') === (typeof record === 'object' && record !== null && !Array.isArray(record)) &&
    (content === 'here' || !('record' in members));
  return isLeaf ? { type: 'leaf', leaf: members as unknown as ExportedLeaf } : null;
}

function hashesOf(base64: string): Hash[] | null {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length % 32 !== 0 || bytes.toString('base64') !== base64) return null;
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
}

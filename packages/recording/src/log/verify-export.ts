/** Verifies an export of the log with nothing but the public key, and says what was changed, removed, inserted or moved. */
import { openCheckpoint } from '../merkle/checkpoint.ts';
import type { Checkpoint } from '../merkle/checkpoint.ts';
import { sameHash } from '../merkle/tree.ts';
import { compareSequences } from './compare-sequences.ts';
import type { SequenceDifference } from './compare-sequences.ts';
import { parseExportLine, tileLeaves } from './export-lines.ts';
import type { AddFinding, LogFinding, NamedLeaf } from './finding.ts';
import { checkHistories } from './leaf-histories.ts';
import { logLeafHash } from './leaf.ts';
import { formDigest } from './record-digest.ts';
import { findSignedSequence, prefixRoots, rootOf } from './signed-sequence.ts';
import type { ReadTile } from './signed-sequence.ts';

export interface LogVerdict {
  readonly ok: boolean;
  readonly origin: string | null;
  readonly size: number | null;
  /** Base64. */
  readonly root: string | null;
  /** Leaves whose record is there and as it was signed; whose content retention removed; that a later leaf replaces. */
  readonly intact: number;
  readonly purged: number;
  readonly superseded: number;
  /** At most 1000, in the order of the log. */
  readonly findings: LogFinding[];
  readonly moreFindings: number;
}

export interface VerifyOptions {
  /** Verifier keys (signed-note "vkey"); more than one where the key was changed. */
  readonly keys: readonly string[];
  /** A checkpoint from an earlier time, e.g. of a witness, that the log must extend. */
  readonly earlier?: string;
}

const maxFindings = 1000;

/** One signature, in its one form: nothing beside it could be changed unseen. */
function openStrictly(note: string, keys: readonly string[]): { checkpoint: Checkpoint } | { why: string } {
  let why = 'No verifier key was given.';
  if (note.slice(note.lastIndexOf('\n\n') + 2).split('\n').length !== 2) return { why: 'It must carry exactly one signature.' };
  for (const key of keys) {
    const verdict = openCheckpoint(note, key);
    if (verdict.ok) return { checkpoint: verdict.checkpoint };
    ({ why } = verdict);
  }
  return { why };
}

/** @param chunks the bytes of the export, in any pieces */
export async function verifyLogExport(chunks: AsyncIterable<Uint8Array>, options: VerifyOptions): Promise<LogVerdict> {
  const findings: LogFinding[] = [];
  let moreFindings = 0;
  const add: AddFinding = (finding) => {
    if (findings.length < maxFindings) findings.push({ index: null, id: null, line: null, ...finding });
    else moreFindings++;
  };

  const { header, leaves, tiles, notes } = await readExport(chunks, add);
  if (header === null) {
    add({ kind: 'unreadable', detail: 'The export has no header, so there is no checkpoint to verify it by.' });
    return { ok: false, origin: null, size: null, root: null, intact: 0, purged: 0, superseded: 0, findings, moreFindings };
  }
  if (!options.keys.includes(header.verifierKey))
    add({ kind: 'checkpoint', detail: 'The export names a verifier key other than the one given to verify it.' });
  const opened = openStrictly(header.checkpoint, options.keys);
  if ('why' in opened) {
    add({ kind: 'checkpoint', detail: `The checkpoint of the export is not valid. ${opened.why}` });
    return { ok: false, origin: null, size: null, root: null, intact: 0, purged: 0, superseded: 0, findings, moreFindings };
  }
  const { origin, size, root } = opened.checkpoint;

  const checkpoints: Checkpoint[] = [];
  for (const { note, line } of notes) {
    const verdict = openStrictly(note, options.keys);
    if ('why' in verdict) add({ kind: 'checkpoint', line, detail: `The checkpoint in line ${line} is not valid. ${verdict.why}` });
    else checkpoints.push(verdict.checkpoint);
  }

  const signed = findSignedSequence({ size, root, leaves, tiles, checkpoints });
  for (const [start, end] of signed.doubtful) {
    const which = end - start === 1 ? `The leaf ${start} is` : `One or more of the leaves ${start} to ${end - 1} are`;
    const only = end - start === 1 ? leaves.find((leaf) => leaf.index === start) : undefined;
    add({
      kind: 'changed',
      index: start,
      id: only?.leaf?.id ?? null,
      line: only?.line ?? null,
      detail: `${which} not what was signed: the log itself was changed there.`,
    });
  }
  const { matches, differences } = compareSequences(
    leaves.map((leaf) => leaf.hash),
    signed.hashes,
  );
  for (const difference of differences) add(describe(difference, leaves));
  checkTiles(tiles, signed.hashes, add);
  checkRoots(checkpoints, options, signed.hashes, signed.doubtful.length > 0, add);

  const counts = { intact: 0, purged: 0, superseded: 0 };
  const named = new Set(differences.map((difference) => difference.read));
  leaves.forEach((read, at) => {
    const { leaf, hash, recordHash, line } = read;
    if (leaf === null || hash === null || matches[at] === -1) return;
    if (leaf.index !== matches[at] && !named.has(at)) {
      add({
        kind: 'changed',
        index: matches[at]!,
        id: leaf.id,
        line,
        detail: `${leaf.id} is leaf ${matches[at]}, and the export numbers it ${leaf.index}.`,
      });
    }
    if (recordHash !== null && !sameHash(recordHash, hash)) {
      add({
        kind: 'changed',
        index: matches[at]!,
        id: leaf.id,
        line,
        detail: `The content of ${leaf.id} (${leaf.kind}) is not what was signed: it was changed.`,
      });
    } else if (leaf.content === 'here') counts.intact++;
    else if (leaf.content === 'purged') counts.purged++;
    else if (leaf.content === 'superseded') counts.superseded++;
  });
  checkHistories(leaves, matches, add);
  findings.sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
  return { ok: findings.length === 0, origin, size, root: Buffer.from(root).toString('base64'), ...counts, findings, moreFindings };
}

interface ReadExport {
  header: { readonly checkpoint: string; readonly verifierKey: string } | null;
  readonly leaves: NamedLeaf[];
  readonly tiles: Map<number, ReadTile>;
  readonly notes: { readonly note: string; readonly line: number }[];
}

async function readExport(chunks: AsyncIterable<Uint8Array>, add: AddFinding): Promise<ReadExport> {
  const result: ReadExport = { header: null, leaves: [], tiles: new Map(), notes: [] };
  let line = 0;
  for await (const text of linesOf(chunks)) {
    line++;
    const parsed = text === null ? null : parseExportLine(text);
    if (parsed?.type === 'header' && line === 1) result.header = parsed;
    else if (parsed?.type === 'checkpoint') result.notes.push({ note: parsed.checkpoint, line });
    else if (parsed?.type === 'tile' && !result.tiles.has(parsed.tile)) result.tiles.set(parsed.tile, parsed);
    else if (parsed?.type === 'leaf') {
      const { leaf } = parsed;
      const hash = logLeafHash(leaf.kind, leaf.id, Buffer.from(leaf.digest, 'hex'));
      const isOwn = leaf.record !== undefined && leaf.record['id'] === leaf.id;
      const recordHash =
        leaf.record === undefined ? null : isOwn ? logLeafHash(leaf.kind, leaf.id, formDigest(leaf.kind, leaf.record)) : new Uint8Array(32);
      result.leaves.push({ line, index: leaf.index, leaf, hash, recordHash });
    } else {
      add({
        kind: 'unreadable',
        line,
        detail: `Line ${line} is not a valid line of an export${text === null ? ' (it is not UTF-8, or has no line feed)' : ''}.`,
      });
      // The unreadable line takes the place of a possible leaf.
      if (text === null || !/"(?:hashes|checkpoint|format)"/.test(text))
        result.leaves.push({ line, index: -1, leaf: null, hash: null, recordHash: null });
    }
  }
  return result;
}

/** Null: a line that is no UTF-8, or has no line feed at its end. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string | null> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (bytes: Uint8Array): string | null => {
    try {
      return decoder.decode(bytes);
    } catch {
      return null;
    }
  };
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const part = chunk.subarray(start, end);
      yield decode(pending.length === 0 ? part : Buffer.concat([...pending, part]));
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(Uint8Array.from(chunk.subarray(start)));
  }
  if (pending.length > 0) yield null;
}

function describe({ kind, read, signed }: SequenceDifference, leaves: readonly NamedLeaf[]): LogFinding {
  const at = read === null ? null : leaves[read]!;
  const id = at?.leaf?.id ?? null;
  const line = at?.line ?? null;
  const what = id ?? (line === null ? 'A record' : `What line ${line} says`);
  const sentences = {
    changed: `The leaf ${signed} is not what was signed: ${id === null ? `line ${line} was changed` : `${id} was changed, or put in its place`}.`,
    removed: `The leaf ${signed} is missing: its record was removed from the export or the log.`,
    inserted: `${what} was never signed: it was inserted.`,
    reordered: `${what} was signed as leaf ${signed} and stands in another place: the order was changed.`,
  };
  return { kind, index: signed ?? at?.leaf?.index ?? null, id, line, detail: sentences[kind] };
}

function checkTiles(tiles: ReadonlyMap<number, ReadTile>, hashes: readonly Uint8Array[], add: AddFinding): void {
  const count = Math.ceil(hashes.length / tileLeaves);
  for (const tile of tiles.keys())
    if (tile >= count) add({ kind: 'inserted', detail: `The export lists hashes of leaves beyond the last (tile ${tile}).` });
  for (let tile = 0; tile < count; tile++) {
    const start = tile * tileLeaves;
    const signed = hashes.slice(start, start + tileLeaves);
    const read = tiles.get(tile);
    if (read === undefined) {
      add({
        kind: 'unreadable',
        index: start,
        detail: `The list of the hashes of leaves ${start} to ${start + signed.length - 1} is missing.`,
      });
      continue;
    }
    const isListed = read.hashes.length === signed.length && read.hashes.every((hash, i) => sameHash(hash, signed[i]!));
    const isRooted = signed.length < tileLeaves ? read.root === null : read.root !== null && sameHash(read.root, rootOf(signed));
    if (!isListed || !isRooted) {
      add({
        kind: 'changed',
        index: start,
        detail: `The list of the hashes of leaves ${start} to ${start + signed.length - 1} is not that of the leaves that were signed.`,
      });
    }
  }
}

/** Every checkpoint that was signed in between, and the earlier one that was kept outside, must be of the same log. */
function checkRoots(
  checkpoints: readonly Checkpoint[],
  options: VerifyOptions,
  hashes: readonly Uint8Array[],
  isDoubtful: boolean,
  add: AddFinding,
): void {
  const wanted = checkpoints.map((checkpoint) => ({ checkpoint, isEarlier: false }));
  if (options.earlier !== undefined) {
    const opened = openStrictly(options.earlier, options.keys);
    if ('why' in opened) add({ kind: 'checkpoint', detail: `The earlier checkpoint is not valid. ${opened.why}` });
    else wanted.push({ checkpoint: opened.checkpoint, isEarlier: true });
  }
  if (wanted.length === 0) return;
  const roots = prefixRoots(hashes, new Set(wanted.map(({ checkpoint }) => checkpoint.size)));
  for (const { checkpoint, isEarlier } of wanted) {
    const root = roots.get(checkpoint.size);
    if (root !== undefined && sameHash(root, checkpoint.root)) continue;
    if (isEarlier) {
      const why = root === undefined ? `it has only ${hashes.length} leaves` : 'it was rewritten';
      add({ kind: 'rewritten', detail: `The log does not extend the earlier checkpoint of ${checkpoint.size} leaves: ${why}.` });
    } else if (!isDoubtful) {
      add({
        kind: 'rewritten',
        index: Math.max(0, checkpoint.size - 1),
        detail: `A checkpoint of ${checkpoint.size} leaves was signed over other leaves: the log was rewritten.`,
      });
    }
  }
}

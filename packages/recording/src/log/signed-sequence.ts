/**
 * Which leaves a checkpoint was signed over, found from what an export says of them in three ways: its leaf lines, its
 * lists of leaf hashes, and the records themselves. What gives the signed root is what was signed; the rest was changed.
 */
import { createCompactRange } from '../merkle/compact-range.ts';
import { sameHash } from '../merkle/tree.ts';
import type { Hash } from '../merkle/tree.ts';
import { tileLeaves } from './export-lines.ts';

export interface ReadLeaf {
  /** Line of the file, from 1. */
  readonly line: number;
  /** Null where the line cannot be read. */
  readonly hash: Hash | null;
  /** Hash that the leaf of this record would have; null where the line carries none. */
  readonly recordHash: Hash | null;
  readonly index: number;
}

export interface ReadTile {
  readonly hashes: readonly Hash[];
  readonly root: Hash | null;
}

export interface SignedSequence {
  readonly hashes: Hash[];
  /** Ranges [start, end) in which something differs from what was signed, and nothing tells what. */
  readonly doubtful: (readonly [start: number, end: number])[];
}

export interface SequenceInput {
  readonly size: number;
  readonly root: Hash;
  readonly leaves: readonly ReadLeaf[];
  readonly tiles: ReadonlyMap<number, ReadTile>;
  /** Signed earlier: size and root, by size. */
  readonly checkpoints: readonly { readonly size: number; readonly root: Hash }[];
}

type Slices = readonly (readonly Hash[] | null)[];

const nothing: Hash = new Uint8Array(32);

export function rootOf(hashes: readonly Hash[]): Hash {
  const range = createCompactRange();
  for (const hash of hashes) range.append(hash);
  return range.root();
}

/** Roots of the first `size` hashes, for each of `sizes` that there is. */
export function prefixRoots(hashes: readonly Hash[], sizes: ReadonlySet<number>): Map<number, Hash> {
  const range = createCompactRange();
  const roots = new Map<number, Hash>(sizes.has(0) ? [[0, range.root()]] : []);
  for (const hash of hashes) {
    range.append(hash);
    if (sizes.has(range.size())) roots.set(range.size(), range.root());
  }
  return roots;
}

export function findSignedSequence({ size, root, leaves, tiles, checkpoints }: SequenceInput): SignedSequence {
  const count = Math.ceil(size / tileLeaves);
  const lengthOf = (tile: number): number => Math.min(tileLeaves, size - tile * tileLeaves);
  const slice = (all: readonly (Hash | null | undefined)[], tile: number): readonly Hash[] | null => {
    const part = all.slice(tile * tileLeaves, tile * tileLeaves + lengthOf(tile));
    return part.length === lengthOf(tile) && part.every((hash) => hash != null) ? (part as Hash[]) : null;
  };
  const inOrder = leaves.map((leaf) => leaf.hash);
  const byIndex: (Hash | null)[] = Array.from({ length: size }, () => null);
  const byRecord = [...byIndex];
  for (const leaf of leaves) {
    if (leaf.index < 0 || leaf.index >= size) continue;
    byIndex[leaf.index] ??= leaf.hash;
    byRecord[leaf.index] ??= leaf.recordHash ?? leaf.hash;
  }
  const numbers = Array.from({ length: count }, (_, tile) => tile);
  const listed: Slices = numbers.map((tile) => (tiles.get(tile)?.hashes.length === lengthOf(tile) ? tiles.get(tile)!.hashes : null));
  const sources: Slices[] = [listed, ...[inOrder, byIndex, byRecord].map((all) => numbers.map((tile) => slice(all, tile)))];

  const tileRoots = authenticRoots(
    size,
    root,
    sources,
    numbers.map((tile) => tiles.get(tile)?.root ?? null),
  );
  const doubtful: [number, number][] = [];
  const hashes: Hash[] = [];
  for (const tile of numbers) {
    const candidates = sources.map((source) => source[tile]).filter((one) => one != null);
    const signed = tileRoots === null ? undefined : candidates.find((one) => sameHash(rootOf(one), tileRoots[tile]!));
    const start = tile * tileLeaves;
    // Where nothing gives the root: what is there, each leaf at the place that it claims.
    const claimed = listed[tile] ?? Array.from({ length: lengthOf(tile) }, (_, i) => byIndex[start + i] ?? nothing);
    // A missing leaf is the finding that is reported.
    if (signed === undefined && tileRoots !== null && !claimed.includes(nothing))
      doubtful.push(narrow(hashes, claimed, start, checkpoints));
    hashes.push(...(signed ?? claimed));
  }
  if (tileRoots === null && !hashes.includes(nothing)) doubtful.push(narrow([], hashes, 0, checkpoints));
  return { hashes, doubtful };
}

/** Roots of the tiles that together give the signed root; null where no source does. */
function authenticRoots(size: number, root: Hash, sources: readonly Slices[], stated: readonly (Hash | null)[]): Hash[] | null {
  const whole = Math.floor(size / tileLeaves);
  const isPartial = size % tileLeaves !== 0;
  const computed = sources.map((source) => source.map((one) => (one === null ? null : rootOf(one))));
  const lasts = isPartial ? computed.map((roots) => roots[whole]).filter((one) => one != null) : [undefined];
  // Each source where it speaks, and the others where it is silent.
  const orders = [stated, ...computed].map((first) => [first, ...computed, stated]);
  for (const order of orders) {
    const roots = Array.from({ length: whole }, (_, tile) => order.map((one) => one[tile]).find((one) => one != null));
    if (roots.some((one) => one === undefined)) continue;
    const range = createCompactRange();
    for (const one of roots) range.append(one!);
    for (const last of lasts) if (sameHash(range.root(last), root)) return isPartial ? [...(roots as Hash[]), last!] : (roots as Hash[]);
  }
  return null;
}

/** The range of `part`, which begins at `start`, that lies between two signed checkpoints of which only the first still holds. */
function narrow(
  before: readonly Hash[],
  part: readonly Hash[],
  start: number,
  checkpoints: SequenceInput['checkpoints'],
): [number, number] {
  let good = start;
  const range = createCompactRange();
  for (const hash of before) range.append(hash);
  const roots = new Map(checkpoints.map((one) => [one.size, one.root]));
  for (const hash of part) {
    range.append(hash);
    const signed = roots.get(range.size());
    if (signed === undefined) continue;
    if (!sameHash(range.root(), signed)) return [good, range.size()];
    good = range.size();
  }
  return [good, start + part.length];
}

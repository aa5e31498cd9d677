/** Where a sequence that was read differs from the one that was signed, in the fewest words. */
import type { Hash } from '../merkle/tree.ts';

export interface SequenceDifference {
  readonly kind: 'changed' | 'removed' | 'inserted' | 'reordered';
  /** Position in the sequence that was read; null: removed. */
  readonly read: number | null;
  /** Position in the signed sequence; null: inserted. */
  readonly signed: number | null;
}

export interface SequenceComparison {
  /** For each position read, the signed position of the same leaf; -1 where there is none. */
  readonly matches: Int32Array;
  readonly differences: SequenceDifference[];
}

const key = (hash: Hash): string => Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1');
const isSame = (a: Hash | null | undefined, b: Hash | null | undefined): boolean => a != null && b != null && Buffer.compare(a, b) === 0;

/** `null` in `read`: a line that could not be read, equal to nothing. */
export function compareSequences(read: readonly (Hash | null)[], signed: readonly Hash[]): SequenceComparison {
  const matches = new Int32Array(read.length).fill(-1);
  let start = 0;
  while (start < read.length && start < signed.length && isSame(read[start], signed[start])) matches[start] = start++;
  let cut = 0;
  while (cut < read.length - start && cut < signed.length - start && isSame(read[read.length - 1 - cut], signed[signed.length - 1 - cut])) {
    matches[read.length - 1 - cut] = signed.length - 1 - cut;
    cut++;
  }
  const readEnd = read.length - cut;
  const signedEnd = signed.length - cut;

  // Equal hashes (a leaf that was sequenced twice) are matched in their order.
  const places = new Map<string, number[]>();
  for (let i = signedEnd - 1; i >= start; i--) {
    const at = places.get(key(signed[i]!));
    if (at === undefined) places.set(key(signed[i]!), [i]);
    else at.push(i);
  }
  const taken = new Set<number>();
  for (let i = start; i < readEnd; i++) {
    const hash = read[i];
    const place = hash === null || hash === undefined ? undefined : places.get(key(hash))?.pop();
    if (place === undefined) continue;
    matches[i] = place;
    taken.add(place);
  }

  const differences: SequenceDifference[] = [];
  const anchors = longestRise(matches, start, readEnd);
  for (let i = start; i < readEnd; i++)
    if (matches[i] !== -1 && !anchors.has(i)) differences.push({ kind: 'reordered', read: i, signed: matches[i]! });
  let readFrom = start;
  let signedFrom = start;
  const closeGap = (readTo: number, signedTo: number): void => {
    const strange: number[] = [];
    for (let i = readFrom; i < readTo; i++) if (matches[i] === -1) strange.push(i);
    const gone: number[] = [];
    for (let i = signedFrom; i < signedTo; i++) if (!taken.has(i)) gone.push(i);
    for (let i = 0; i < Math.max(strange.length, gone.length); i++) {
      const [at, of] = [strange[i] ?? null, gone[i] ?? null];
      differences.push({ kind: at === null ? 'removed' : of === null ? 'inserted' : 'changed', read: at, signed: of });
    }
  };
  for (let i = start; i < readEnd; i++) {
    if (!anchors.has(i)) continue;
    closeGap(i, matches[i]!);
    readFrom = i + 1;
    signedFrom = matches[i]! + 1;
  }
  closeGap(readEnd, signedEnd);
  return { matches, differences: differences.toSorted((a, b) => (a.signed ?? a.read!) - (b.signed ?? b.read!)) };
}

/** Positions of a longest increasing run of matched values in [start, end): what kept its order. */
function longestRise(values: Int32Array, start: number, end: number): Set<number> {
  const tails: number[] = [];
  const before = new Map<number, number>();
  for (let i = start; i < end; i++) {
    if (values[i] === -1) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[tails[middle]!]! < values[i]!) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before.set(i, tails[low - 1]!);
    tails[low] = i;
  }
  const kept = new Set<number>();
  for (let at = tails.at(-1); at !== undefined; at = before.get(at)) kept.add(at);
  return kept;
}

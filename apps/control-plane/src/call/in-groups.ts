/** Bytes of bodies that are in memory at a time. */
const maxGroupBytes = 8 * 1024 * 1024;

/** Items in order, in groups whose bytes are within the limit; one that is larger is a group alone. */
export function* inGroups<T>(items: readonly T[], bytesOf: (item: T) => number, maxBytes: number = maxGroupBytes): Generator<T[]> {
  let group: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (group.length > 0 && bytes + size > maxBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(item);
    bytes += size;
  }
  if (group.length > 0) yield group;
}

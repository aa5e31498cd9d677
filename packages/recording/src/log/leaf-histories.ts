/** Defines the valid sequences of one record's leaves, and the content that an export may have for them. */
import type { LogLeafKind } from './leaf.ts';
import { mayFollow } from './leaf.ts';
import type { ExportedLeaf } from './export-lines.ts';
import type { AddFinding, NamedLeaf } from './finding.ts';

interface Last {
  readonly kind: LogLeafKind;
  readonly digest: string;
  readonly read: NamedLeaf & { readonly leaf: ExportedLeaf };
}

/** @param matches for each leaf its signed position, -1 where it was never signed */
export function checkHistories(leaves: readonly NamedLeaf[], matches: Int32Array, add: AddFinding): void {
  const last = new Map<string, Last>();
  leaves.forEach((read, at) => {
    const { leaf, line } = read;
    const index = matches[at]!;
    if (leaf === null || index === -1) return;
    const before = last.get(leaf.id);
    last.set(leaf.id, { kind: leaf.kind, digest: leaf.digest, read: { ...read, leaf } });
    if (before === undefined) {
      const isOfNone = leaf.kind === 'call_purge' && leaf.record?.['hasHead'] !== false;
      if (isOfNone)
        add({
          kind: 'rewritten',
          index,
          id: leaf.id,
          line,
          detail: `The content of ${leaf.id} was removed before it had ever been sequenced.`,
        });
      return;
    }
    const isRepeat = before.kind === leaf.kind && before.digest === leaf.digest;
    if (!isRepeat && !mayFollow(before.kind, leaf.kind)) {
      add({
        kind: 'rewritten',
        index,
        id: leaf.id,
        line,
        detail: `${leaf.id} was final with leaf ${before.read.index} and was changed after it.`,
      });
    }
    const stated = before.read.leaf.content;
    const expected = leaf.kind === 'call_purge' && before.kind !== 'call_purge' ? 'purged' : 'superseded';
    if (stated !== expected) {
      add({
        kind: 'changed',
        index: before.read.index,
        id: leaf.id,
        line: before.read.line,
        detail: `The export says "${stated}" of the content of leaf ${before.read.index}, which is "${expected}".`,
      });
    }
  });
  for (const { read } of last.values()) {
    const { leaf, line, index } = read;
    if (leaf.content === 'here') continue;
    if (leaf.content === 'unsettled') {
      add({
        kind: 'unsettled',
        index,
        id: leaf.id,
        line,
        detail: `A further leaf of ${leaf.id} was waiting when this was exported: export again to verify it.`,
      });
    } else if (leaf.content === 'missing') {
      add({
        kind: 'removed',
        index,
        id: leaf.id,
        line,
        detail: `${leaf.id} (${leaf.kind}) was signed and no longer exists: it was removed, and not by retention.`,
      });
    } else {
      add({
        kind: 'removed',
        index,
        id: leaf.id,
        line,
        detail: `The export says that the content of ${leaf.id} is ${leaf.content}, and no later leaf says so: it was removed.`,
      });
    }
  }
}

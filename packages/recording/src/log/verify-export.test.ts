import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { exportOf, hashOf, sampleLog, signer } from '../../test/sample-log.ts';
import { createCompactRange } from '../merkle/compact-range.ts';
import { leafLine } from './export-lines.ts';
import type { ExportedLeaf } from './export-lines.ts';
import { generateLogKeys, logSigner } from './log-keys.ts';
import { formDigest } from './record-digest.ts';
import { verifyLogExport } from './verify-export.ts';
import type { LogVerdict, VerifyOptions } from './verify-export.ts';

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const verify = (lines: readonly string[] | Uint8Array, options: Partial<VerifyOptions> = {}, chunk = 65_536): Promise<LogVerdict> =>
  verifyLogExport(chunked(lines instanceof Uint8Array ? lines : Buffer.from(lines.join('')), chunk), {
    keys: [signer.verifierKey],
    ...options,
  });
const found = (verdict: LogVerdict): (readonly [string, number | null, string | null])[] =>
  verdict.findings.map(({ kind, index, id }) => [kind, index, id]);

const log = sampleLog(400);
const size = log.leaves.length;
const lines = exportOf(log);
const lineOf = (index: number): number => lines.indexOf(leafLine(log.leaves[index]!));
const leafWith = (wanted: (leaf: ExportedLeaf) => boolean): ExportedLeaf => log.leaves.find(wanted)!;
const changed = (leaf: ExportedLeaf): ExportedLeaf => ({ ...leaf, record: { ...leaf.record, remoteAddress: '192.0.2.1', remote: 'x' } });
const consistent = (leaf: ExportedLeaf): ExportedLeaf => {
  const { record, ...rest } = changed(leaf);
  return { ...rest, digest: formDigest(leaf.kind, record!).toString('hex'), record: record! };
};

describe('an export of the log', () => {
  it('verifies, in chunks of any size, and counts what is there, purged and superseded', async () => {
    for (const chunk of [7, 4096, 1e9]) {
      const verdict = await verify(lines, {}, chunk);
      expect(verdict.findings).toEqual([]);
      expect(verdict).toMatchObject({ ok: true, origin: 'hoop.example/audit', size });
      expect(verdict.intact + verdict.purged + verdict.superseded).toBe(size);
      expect(Math.min(verdict.purged, verdict.superseded)).toBeGreaterThan(0);
    }
  });

  it('verifies where the log is empty, has one leaf, or ends with a tile', async () => {
    for (const count of [1, 2, 3]) expect((await verify(exportOf(sampleLog(count)))).findings).toEqual([]);
    expect((await verify(exportOf(sampleLogOf([])))).findings).toEqual([]);
    const { leaves } = sampleLog(600);
    const audits = leaves
      .filter((leaf) => leaf.kind === 'audit_event')
      .slice(0, 256)
      .map((leaf, index) => ({ ...leaf, index }));
    expect((await verify(exportOf(sampleLogOf(audits)))).findings).toEqual([]);
  });

  it('tells a changed record', async () => {
    const at = leafWith((leaf) => leaf.content === 'here' && leaf.index > 260);
    const verdict = await verify(lines.with(lineOf(at.index), leafLine(changed(at))));
    expect(found(verdict)).toEqual([['changed', at.index, at.id]]);
    expect(verdict.findings[0]!.detail).toContain('content');
  });

  it('tells a record that was changed together with its digest', async () => {
    const at = leafWith((leaf) => leaf.content === 'here' && leaf.index > 20);
    expect(found(await verify(lines.with(lineOf(at.index), leafLine(consistent(at)))))).toEqual([['changed', at.index, at.id]]);
  });

  it('tells a removed record, with and without the others numbered anew', async () => {
    const without = lines.toSpliced(lineOf(100), 1);
    expect(found(await verify(without))).toContainEqual(['removed', 100, null]);
    const renumbered = lines.flatMap((line) => {
      const value = JSON.parse(line) as ExportedLeaf;
      if (value.index === undefined) return [line];
      return value.index === 100 ? [] : [leafLine({ ...value, index: value.index - (value.index > 100 ? 1 : 0) })];
    });
    expect(found(await verify(renumbered))).toContainEqual(['removed', 100, null]);
  });

  it('tells the last records that were cut off', async () => {
    const verdict = await verify(lines.slice(0, lineOf(size - 2)));
    expect(found(verdict)).toEqual(
      expect.arrayContaining([
        ['removed', size - 2, null],
        ['removed', size - 1, null],
      ]),
    );
  });

  it('tells an inserted record', async () => {
    const strange = { ...consistent(leafWith((leaf) => leaf.content === 'here' && leaf.kind === 'audit_event')), index: 50 };
    const verdict = await verify(lines.toSpliced(lineOf(50), 0, leafLine(strange)));
    expect(found(verdict)).toContainEqual(['inserted', 50, strange.id]);
    expect(verdict.findings.filter((one) => one.kind !== 'inserted')).toEqual([]);
  });

  it('tells a record that was moved', async () => {
    const line = lines[lineOf(30)]!;
    const without = lines.toSpliced(lineOf(30), 1);
    const verdict = await verify(without.toSpliced(without.indexOf(lines[lineOf(300)]!), 0, line));
    expect(found(verdict)).toEqual([['reordered', 30, log.leaves[30]!.id]]);
  });

  it('tells a list of hashes that was changed, as such', async () => {
    const at = lines.findIndex((line) => line.includes('"tile":0'));
    const verdict = await verify(lines.with(at, lines[at]!.replace(/"hashes":"..../, '"hashes":"AAAA')));
    expect(verdict.findings).toHaveLength(1);
    expect(verdict.findings[0]!.detail).toContain('list of the hashes of leaves 0 to 255');
  });

  it('refuses another key, another signer and an export without a header', async () => {
    const other = logSigner(generateLogKeys().privateJwks, 'hoop.example/audit');
    expect(found(await verify(lines, { keys: [other.verifierKey] }))).toEqual([
      ['checkpoint', null, null],
      ['checkpoint', null, null],
    ]);
    expect((await verify(lines, { keys: [other.verifierKey, signer.verifierKey] })).ok).toBe(true);
    expect((await verify(lines.slice(1))).ok).toBe(false);
    expect((await verify([])).ok).toBe(false);
  });

  it('must extend an earlier checkpoint', async () => {
    expect((await verify(lines, { earlier: log.notes.get(99)! })).ok).toBe(true);
    const another = sampleLog(400);
    expect(found(await verify(lines, { earlier: another.notes.get(99)! }))).toEqual([['rewritten', null, null]]);
    const longer = sampleLog(500);
    expect((await verify(lines, { earlier: longer.notes.get(longer.leaves.length)! })).findings[0]!.detail).toContain(
      `only ${size} leaves`,
    );
    expect(found(await verify(lines, { earlier: 'nonsense' }))).toEqual([['checkpoint', null, null]]);
  });
});

describe('an export of a log that was changed where it is stored', () => {
  it('tells a leaf that was changed alone', async () => {
    const stored = log.leaves.with(5, { ...log.leaves[5]!, digest: 'f'.repeat(64) });
    expect(found(await verify(exportOf(log, stored)))).toContainEqual(['changed', 5, log.leaves[5]!.id]);
  });

  it('tells between which checkpoints a record and its leaf were changed together', async () => {
    for (const index of [5, 300]) {
      const at = log.leaves.find((leaf) => leaf.index >= index && leaf.content === 'here')!;
      const verdict = await verify(exportOf(log, log.leaves.with(at.index, consistent(at))));
      const start = Math.floor(at.index / 3) * 3;
      expect(verdict.findings.map((one) => one.detail)).toContain(
        `One or more of the leaves ${start} to ${start + 2} are not what was signed: the log itself was changed there.`,
      );
    }
  });

  it('tells a leaf that was removed', async () => {
    expect(found(await verify(exportOf(log, log.leaves.toSpliced(7, 1))))).toContainEqual(['removed', 7, null]);
  });

  it('tells what was final and is stated anew, and what is gone', async () => {
    const call = sampleLog(1).leaves.at(-1)!;
    expect(call.kind).toBe('call_purge');
    const again = sampleLogOf([log.leaves[1]!, consistent({ ...log.leaves[1]!, index: 1 })]);
    expect((await verify(exportOf(again))).findings.map((one) => one.kind)).toContain('rewritten');
    const { record: _, ...gone } = log.leaves[1]!;
    expect(found(await verify(exportOf(sampleLogOf([{ ...gone, index: 0, content: 'missing' }]))))).toEqual([['removed', 0, gone.id]]);
    expect(found(await verify(exportOf(sampleLogOf([{ ...gone, index: 0, content: 'purged' }]))))).toEqual([['removed', 0, gone.id]]);
    expect(found(await verify(exportOf(sampleLogOf([{ ...gone, index: 0, content: 'unsettled' }]))))).toEqual([['unsettled', 0, gone.id]]);
  });
});

// Work, not waiting: thousands of verifications, however slow the machine.
describe('any change of an export', { timeout: 240_000 }, () => {
  const small = Buffer.from(exportOf(sampleLog(2)).join(''));
  const some = exportOf(sampleLog(60));

  it('is found, at every byte', async () => {
    for (let at = 0; at < small.length; at++) {
      const bytes = Buffer.from(small);
      bytes[at]! ^= 1 << (at % 8);
      const verdict = await verify(bytes);
      expect(verdict.ok, `byte ${at} of ${small.subarray(Math.max(0, at - 30), at + 30).toString()}`).toBe(false);
      expect(verdict.findings.length).toBeGreaterThan(0);
    }
  });

  it('is found, whatever it is', async () => {
    const whole = Buffer.from(some.join(''));
    const edit = fc.record({ at: fc.nat(whole.length - 1), remove: fc.nat(300), insert: fc.uint8Array({ maxLength: 40 }) });
    await fc.assert(
      fc.asyncProperty(edit, async ({ at, remove, insert }) => {
        const bytes = Buffer.concat([whole.subarray(0, at), insert, whole.subarray(Math.min(whole.length, at + remove))]);
        fc.pre(!bytes.equals(whole));
        // A checkpoint in between that is cut out whole takes nothing away: every other one still proves it.
        const rest = bytes.toString('latin1');
        fc.pre(
          some.some((line) => !line.startsWith('{"checkpoint"') && !rest.includes(Buffer.from(line).toString('latin1'))) ||
            insert.length > 0,
        );
        return !(await verify(bytes)).ok;
      }),
      { numRuns: 80 },
    );
  });
});

function sampleLogOf(leaves: ExportedLeaf[]): { leaves: ExportedLeaf[]; notes: Map<number, string> } {
  const notes = new Map<number, string>();
  const range = createCompactRange();
  for (const leaf of leaves) range.append(hashOf(leaf));
  notes.set(range.size(), signer.sign({ size: range.size(), root: range.root() }));
  return { leaves, notes };
}

import { createSecretKey, randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';

import { AppError, newId } from '@hoop/contract';
import type { OutcomeEntry, PackedRecordBatch, RecordEntry } from '@hoop/contract';
import { describe, expect, test } from 'vitest';

import { joinGroups, packGroup, sealGroup } from './journal-group.ts';
import type { SealedGroup } from './journal-group.ts';
import { BatchPacker, compressedVersion, unpackRecordBatch } from './recorder-pack.ts';

const outcomeOf = (detail: string, body: Buffer | null): OutcomeEntry => ({
  type: 'outcome',
  callId: newId('call'),
  sessionId: newId('session'),
  at: 2,
  state: 'completed',
  status: 200,
  targetStatus: 200,
  error: null,
  errorDetail: detail,
  responseHeaders: [],
  requestBody: null,
  responseBody:
    body === null
      ? null
      : { bytes: body.length, digest: 'd', sealed: body.toString('base64'), keptBytes: body.length, truncated: false, contentType: null },
  dataKey: null,
  leaseFingerprint: null,
  targetAddress: null,
  maskedCount: 0,
  credentialReflected: false,
  timings: {},
});

/** In parts of different sizes: small ones are copied into a batch, large ones are not. */
function cut(body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0, bytes = 10; at < body.length; at += bytes, bytes = (bytes * 3) % 50_000) parts.push(body.subarray(at, at + bytes));
  return parts;
}

/** As a relay writes it and the shipper reads it. Sealing here adds a byte. */
function grouped(entries: readonly OutcomeEntry[]): SealedGroup {
  const packer = new BatchPacker();
  const key = createSecretKey(Buffer.alloc(32, 7));
  for (const entry of entries) {
    const body = entry.responseBody?.sealed == null ? null : Buffer.from(entry.responseBody.sealed, 'base64').subarray(1);
    const line = JSON.stringify({
      ...entry,
      responseBody: body === null ? null : { ...entry.responseBody, sealed: `@${body.length + 1}` },
    });
    packer.add({
      line,
      sealed: [],
      plain: body === null ? [] : [{ parts: cut(body), bytes: body.length, key, owner: `${entry.callId}:response` }],
    });
  }
  const { parts } = packGroup({ version: 3, relayId: 'rly_1', count: entries.length }, packer);
  return sealGroup(Buffer.concat(parts), (_key, bytes) => Buffer.concat([Buffer.of(1), bytes]));
}

const payloadOf = (groups: readonly SealedGroup[]): PackedRecordBatch => {
  const { head, bytes } = joinGroups(groups);
  return { ...head, packed: Buffer.from(bytes).toString('base64') };
};

const groupsOf = (sizes: readonly number[], bodyBytes = 10): OutcomeEntry[][] =>
  sizes.map((size) =>
    Array.from({ length: size }, (_, i) =>
      outcomeOf(`€ ${i}`, i % 3 === 0 ? null : Buffer.concat([Buffer.of(1), randomBytes(i * bodyBytes)])),
    ),
  );

describe('groups of a journal as one batch', () => {
  test.each<[number[], number?]>([[[1]], [[5]], [[1, 4, 2]], [[40, 1, 60]], [[12, 3], 20_000]])(
    'of %j entries are unpacked to what was packed',
    (sizes, bodyBytes = 10) => {
      const groups = groupsOf(sizes, bodyBytes);
      const unpacked: RecordEntry[] = unpackRecordBatch(payloadOf(groups.map(grouped)));
      expect(unpacked).toEqual(groups.flat());
    },
  );

  test('take a fraction of their texts in the queue', () => {
    const groups = groupsOf([60, 60]).map(grouped);
    const texts = groups.reduce((sum, { text }) => sum + text.length, 0);
    const bodies = groups.reduce((sum, group) => sum + group.bytes - group.text.length, 0);
    expect(joinGroups(groups).bytes.length - bodies).toBeLessThan(texts / 3);
  });

  test('are refused where they are damaged, wherever that is', () => {
    const whole = payloadOf(groupsOf([3, 2]).map(grouped));
    const bytes = Buffer.from(whole.packed, 'base64');
    const refused = (packed: Buffer, over: object = {}): void => {
      expect(() => unpackRecordBatch({ ...whole, ...over, packed: packed.toString('base64') })).toThrow(AppError);
    };
    for (let cut = 0; cut < bytes.length; cut += 7) refused(bytes.subarray(0, cut));
    refused(Buffer.concat([bytes, Buffer.of(1)]));
    refused(bytes, { count: 4 });
    refused(bytes, { version: 3 });
    refused(bytes, { version: 4 });
  });

  test('are refused where their texts come to more than a worker can hold', () => {
    const bomb = zstdCompressSync(Buffer.alloc(129 * 1024 * 1024));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bomb.length);
    const packed = Buffer.concat([length, bomb]).toString('base64');
    expect(() => unpackRecordBatch({ version: compressedVersion, relayId: 'rly_1', count: 1, packed })).toThrow('too long');
  });
});

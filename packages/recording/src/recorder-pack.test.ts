import { AppError, newId } from '@hoop/contract';
import type { CallHead, OutcomeEntry, RecordedBody, RecordEntry } from '@hoop/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { packEntry, packRecords, unpackRecordBatch } from './recorder-pack.ts';

const head: CallHead = {
  callId: newId('call'),
  sessionId: newId('session'),
  at: 1,
  relayId: 'rly_1',
  remoteAddress: '127.0.0.1',
  subject: { identityId: null, identityName: null, issuer: null, subject: null, grantId: null },
  claims: null,
  connectionId: null,
  connectionName: null,
  snapshotRevision: 1,
  decision: null,
  context: null,
  method: 'GET',
  url: '/x',
  path: '/x',
  requestHeaders: [['a', 'b']],
  traceId: null,
};

const bodyOf = (bytes: Uint8Array | null): RecordedBody | null =>
  bytes === null
    ? null
    : {
        bytes: 9,
        digest: 'd',
        sealed: bytes.length === 0 ? null : Buffer.from(bytes).toString('base64'),
        keptBytes: 1,
        truncated: false,
        contentType: null,
      };

const outcome = (request: Uint8Array | null, response: Uint8Array | null, detail: string | null): OutcomeEntry => ({
  type: 'outcome',
  callId: head.callId,
  sessionId: head.sessionId,
  at: 2,
  state: 'completed',
  status: 200,
  targetStatus: 200,
  error: null,
  errorDetail: detail,
  responseHeaders: [],
  requestBody: bodyOf(request),
  responseBody: bodyOf(response),
  dataKey: null,
  leaseFingerprint: null,
  targetAddress: null,
  maskedCount: 0,
  credentialReflected: false,
  timings: { end: 1.5 },
});

const bytes = fc.option(fc.uint8Array({ maxLength: 50 }), { nil: null });
const anyEntry: fc.Arbitrary<RecordEntry> = fc.oneof(
  fc.constant<RecordEntry>({ type: 'intent', head }),
  fc.tuple(bytes, bytes, fc.option(fc.string(), { nil: null })).map(([a, b, detail]): RecordEntry => outcome(a, b, detail)),
  fc.tuple(bytes, bytes).map(([a, b]): RecordEntry => ({ type: 'refusal', head, outcome: outcome(a, b, 'x\ny'), repeats: 3 })),
);

const refused = (payload: unknown): void => {
  expect(() => unpackRecordBatch(payload)).toThrow(AppError);
};

describe('a batch of records', () => {
  it('is unpacked to what was packed, through JSON (property)', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 20 }), (entries) => {
        const payload: unknown = JSON.parse(JSON.stringify(packRecords('rly_1', entries.map(packEntry))));
        expect(unpackRecordBatch(payload)).toEqual(entries);
      }),
    );
  });

  it('writes what its entries share once', () => {
    const { subject, decision, ...rest } = head;
    const shared = [JSON.stringify({ subject }), JSON.stringify({ decision })];
    const intent = { line: JSON.stringify({ type: 'intent', head: rest }), shared, sealed: [] };
    const { dataKey, ...concluded } = outcome(null, null, null);
    const conclusion = { line: JSON.stringify(concluded), shared: [JSON.stringify({ dataKey: { id: 'k', wrapped: 'w' } })], sealed: [] };
    expect(dataKey).toBe(null);
    expect(unpackRecordBatch(packRecords('rly_1', [intent, conclusion, intent]))).toEqual([
      { type: 'intent', head },
      { ...outcome(null, null, null), dataKey: { id: 'k', wrapped: 'w' } },
      { type: 'intent', head },
    ]);
  });

  it('takes frequent entries as lists of values', () => {
    const { subject, ...rest } = head;
    const intent = {
      line: JSON.stringify(['i', head.callId, 1, 1, null, undefined, null, 'GET', '/x', '/x', null]),
      shared: [
        JSON.stringify({
          sessionId: head.sessionId,
          relayId: head.relayId,
          remoteAddress: head.remoteAddress,
          requestHeaders: head.requestHeaders,
          decision: null,
        }),
        JSON.stringify({ connectionId: null, connectionName: null, subject: { ...subject, grantId: undefined } }),
        JSON.stringify({ subject: { grantId: null } }),
      ],
      sealed: [],
    };
    const wanted = outcome(null, Buffer.from('body'), null);
    const body = wanted.responseBody!;
    const conclusion = {
      line: JSON.stringify([
        'o',
        head.callId,
        2,
        null,
        [body.bytes, body.digest, '@4', body.keptBytes, body.truncated, body.contentType],
        0,
        false,
        [0, 0, 0, 0, 0, 0, 0, 1.5],
      ]),
      shared: [
        JSON.stringify({ sessionId: head.sessionId, state: 'completed', status: 200, targetStatus: 200, error: null, errorDetail: null }),
        JSON.stringify({ responseHeaders: [], dataKey: null, leaseFingerprint: null, targetAddress: null }),
      ],
      sealed: [Buffer.from('body')],
    };
    expect(unpackRecordBatch(packRecords('rly_1', [intent, conclusion]))).toEqual([
      { type: 'intent', head: { ...rest, approvalId: null, subject } },
      wanted,
    ]);
    const decoded = { ...conclusion, line: conclusion.line.replace(',null],0,', ',null,null,true,false],0,') };
    expect(unpackRecordBatch(packRecords('rly_1', [decoded]))).toEqual([
      { ...wanted, responseBody: { ...body, parts: null, decoded: true, withheld: false } },
    ]);
    refused(packRecords('rly_1', [{ ...intent, line: '["x"]' }]));
    refused(packRecords('rly_1', [{ ...intent, line: '["i"]' }]));
  });

  it('joins the wrapping key of a relay and what it wraps for a session', () => {
    const { dataKey: _, ...concluded } = outcome(null, null, null);
    const conclusion = {
      line: JSON.stringify(concluded),
      shared: ['{"dataKey":{"wrapped":"jwe~"}}', '{"dataKey":{"id":"k","inner":"abc"}}'],
      sealed: [],
    };
    expect(unpackRecordBatch(packRecords('rly_1', [conclusion]))).toEqual([
      { ...outcome(null, null, null), dataKey: { id: 'k', wrapped: 'jwe~abc' } },
    ]);
  });

  it('is the same whatever the line feeds in its base64', () => {
    const whole = packRecords('rly_1', [packEntry(outcome(Buffer.from('request'), Buffer.from('response'), 'd'))]);
    expect(unpackRecordBatch({ ...whole, packed: whole.packed.replace(/.{76}/g, '$&\n') })).toEqual(unpackRecordBatch(whole));
  });

  it('uses its buffers again, and mixes nothing up', () => {
    const long = 'ü€😀'.repeat(40_000);
    const large = outcome(Buffer.alloc(300_000, 1), Buffer.alloc(200_000, 2), long);
    for (let i = 0; i < 3; i++) {
      const small = outcome(Buffer.from(`request ${i}`), null, `detail ${i}`);
      for (const entries of [[large, small], [small], [small, large, small]]) {
        expect(unpackRecordBatch(packRecords('rly_1', entries.map(packEntry)))).toEqual(entries);
      }
    }
  });

  it('is taken in the plain form too', () => {
    expect(unpackRecordBatch({ version: 1, relayId: 'rly_1', entries: [{ type: 'intent', head }] })).toEqual([{ type: 'intent', head }]);
  });

  it('is refused where it is damaged, wherever that is (property)', () => {
    const whole = packRecords('rly_1', [
      packEntry(outcome(Buffer.from('request'), Buffer.from('response'), 'd')),
      packEntry({ type: 'intent', head }),
    ]);
    const packed = Buffer.from(whole.packed, 'base64');
    fc.assert(
      fc.property(fc.nat({ max: packed.length - 1 }), (cut) => refused({ ...whole, packed: packed.subarray(0, cut).toString('base64') })),
    );
    refused({ ...whole, packed: Buffer.concat([packed, Buffer.from('x')]).toString('base64') });
    refused({ ...whole, count: 1 });
    refused({ ...whole, version: 2 });
    refused(null);
  });

  it('is refused where an entry is no record', () => {
    refused(packRecords('rly_1', [{ line: '{"type":"intent"}', sealed: [] }]));
    refused(packRecords('rly_1', [{ line: 'x', sealed: [] }]));
    refused(packRecords('rly_1', [{ line: `7,${JSON.stringify({ type: 'intent', head })}`, sealed: [] }]));
  });
});

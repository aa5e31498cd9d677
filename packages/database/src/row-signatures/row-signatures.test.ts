import { generateLogKeys } from '@hoop/recording';
import { describe, expect, it } from 'vitest';

import { Prisma } from '../generated/client.ts';
import { createRowGuard, isTrailed, type RowFault, type RowGuard } from './guard.ts';
import type { RowKeys } from './keys.ts';
import { allRowKinds, unsignedModels, type RowKind } from './kinds.ts';
import { definitionOf, type Row } from './message.ts';

const keys = generateLogKeys();
const workerKeys = generateLogKeys();
const open = (rows: RowKeys, onFault: (fault: RowFault) => void = () => undefined): RowGuard => createRowGuard(rows, onFault);
const controlPlane = open({ controlPlane: keys.privateJwks, worker: workerKeys.publicJwks });
const worker = open({ controlPlane: keys.publicJwks, worker: workerKeys.privateJwks });

const modelOf = (kind: RowKind): string => definitionOf(kind).model.replace(/^./, (letter) => letter.toUpperCase());
const columnsOf = (model: string): string[] =>
  Object.keys((Prisma as unknown as Record<string, object>)[`${model}ScalarFieldEnum`]!).toSorted();

/** A row of a kind with a value in every signed column. */
function rowOf(kind: RowKind, tag = 'a'): Row {
  const row: Record<string, unknown> = Object.fromEntries(definitionOf(kind).signed.map((column) => [column, `${tag} ${column}`]));
  if (kind !== 'connection') return row;
  return {
    ...row,
    identities: [{ identityId: 'idn_1' }],
    credential: { id: 'crd_1', version: 1 },
    policy: { id: 'pol_1', currentRevision: 1 },
  };
}
const signed = (kind: RowKind, row: Row) => ({ ...row, signature: controlPlane.sign(kind, row) });

describe('the models of the schema', () => {
  it('are each signed, or listed with the reason why not', () => {
    const known = [...allRowKinds.map(modelOf), ...Object.keys(unsignedModels)];
    expect(known.toSorted()).toEqual(Object.keys(Prisma.ModelName).toSorted());
    for (const reason of Object.values(unsignedModels)) expect(reason.length).toBeGreaterThan(10);
  });

  it.each(allRowKinds)('of the kind %s have each column signed, or listed with the reason why not', (kind) => {
    const { signed: columns, unsigned, key } = definitionOf(kind);
    expect([...columns, ...Object.keys(unsigned), 'signature'].toSorted()).toEqual(columnsOf(modelOf(kind)));
    expect(columns).toEqual(expect.arrayContaining([...key]));
  });
});

describe.each(allRowKinds)('a signature of the kind %s', (kind) => {
  const row = signed(kind, rowOf(kind));

  it('holds for the row, for whoever has the public key, and however its columns are ordered', () => {
    expect(controlPlane.faultOf(kind, row)).toBeNull();
    expect(worker.faultOf(kind, row)).toBeNull();
    expect(worker.faultOf(kind, Object.fromEntries(Object.entries(row).toReversed()) as typeof row)).toBeNull();
  });

  it('holds for no other value of any signed column, and for none that cannot be', () => {
    for (const column of definitionOf(kind).signed) {
      for (const value of ['another', null, true, new Date(0), [], { x: 1 }])
        expect(worker.faultOf(kind, { ...row, [column]: value }), column).not.toBeNull();
      // Postgres knows infinite times; no row of Hoop has one.
      expect(worker.faultOf(kind, { ...row, [column]: new Date(Number.NaN) })?.detail, column).toMatch(/no such row can hold/);
    }
  });

  it('holds for no other row and no other kind, and is there', () => {
    const other = signed(kind, rowOf(kind, 'b'));
    expect(worker.faultOf(kind, { ...row, signature: other.signature })?.detail).toMatch(/not what was signed/);
    expect(worker.faultOf(kind, { ...row, signature: null })?.detail).toMatch(/no signature/);
    for (const signature of [
      '',
      'x',
      'x.y',
      `${row.signature}x`,
      `${row.signature}.x`,
      row.signature.slice(0, -1),
      row.signature.replace('.', '_'),
    ])
      expect(worker.faultOf(kind, { ...row, signature }), signature).not.toBeNull();
    for (const another of allRowKinds) {
      if (another === kind) continue;
      expect(worker.faultOf(another, { ...rowOf(another), ...row })).not.toBeNull();
    }
  });

  it('is made by nobody who has only the public key, and by the worker for its own events alone', () => {
    expect(() => worker.sign(kind, rowOf(kind))).toThrow('no key');
    const forged = open({ controlPlane: workerKeys.privateJwks }).sign(kind, rowOf(kind));
    expect(controlPlane.faultOf(kind, { ...rowOf(kind), signature: forged })?.detail).toMatch(/may not sign/);
  });
});

describe('the parts of a connection', () => {
  it('are signed with it: members, and which credential and policy are in force', () => {
    const row = signed('connection', rowOf('connection'));
    for (const change of [
      { identities: [] },
      { identities: [{ identityId: 'idn_1' }, { identityId: 'idn_2' }] },
      { credential: null },
      { credential: { id: 'crd_1', version: 2 } },
      { policy: null },
      { policy: { id: 'pol_1', currentRevision: 2 } },
    ])
      expect(worker.faultOf('connection', { ...row, ...change })).not.toBeNull();
    const two = signed('connection', { ...rowOf('connection'), identities: [{ identityId: 'b' }, { identityId: 'a' }] });
    expect(worker.faultOf('connection', { ...two, identities: [{ identityId: 'a' }, { identityId: 'b' }] })).toBeNull();
  });
});

describe('the worker', () => {
  it('signs events of what it does itself, which the control plane accepts', () => {
    const own = { ...rowOf('audit_event'), actorId: 'system', actorRole: 'system' };
    const signature = worker.sign('audit_event', own);
    expect(controlPlane.faultOf('audit_event', { ...own, signature })).toBeNull();
    expect(controlPlane.faultOf('audit_event', { ...own, actorId: 'tok_1', signature })).not.toBeNull();
  });
});

describe('a change of keys', () => {
  it('of a column that came later is what it was before for null, and for nothing else', () => {
    const { unmanaged: _, ...before } = rowOf('identity');
    // As it was signed when there was no such column: no value of it makes another row of the same signature.
    const { signature } = signed('identity', { ...before, unmanaged: null });
    for (const [unmanaged, isFine] of [
      [null, true],
      [{ mode: 'tunnel', hosts: ['*'] }, false],
      ['', false],
    ] as const)
      expect(worker.faultOf('identity', { ...before, unmanaged, signature }) === null).toBe(isFine);
    const set = signed('identity', { ...before, unmanaged: { mode: 'tunnel' } });
    expect(worker.faultOf('identity', { ...set, unmanaged: null })?.detail).toMatch(/not what was signed/);
  });

  it('keeps what the older key signed for as long as it is listed, and signs with the first', () => {
    const fresh = generateLogKeys();
    const old = signed('identity', rowOf('identity'));
    const both = open({ controlPlane: { keys: [...fresh.privateJwks.keys, ...keys.privateJwks.keys] } });
    expect(both.faultOf('identity', old)).toBeNull();
    const renewed = both.sign('identity', rowOf('identity'));
    expect(renewed.split('.')[0]).toBe(fresh.publicJwks.keys[0]!.kid);
    const onlyFresh = open({ controlPlane: fresh.publicJwks });
    expect(onlyFresh.faultOf('identity', { ...rowOf('identity'), signature: renewed })).toBeNull();
    expect(onlyFresh.faultOf('identity', old)?.detail).toMatch(/not known here/);
    // The same bytes under the name of another key.
    expect(both.faultOf('identity', { ...old, signature: old.signature.replace(/^[^.]+/, fresh.publicJwks.keys[0]!.kid!) })).not.toBeNull();
  });

  it('refuses keys of another kind, twice the same, none, and weak ones', () => {
    const [key] = keys.publicJwks.keys;
    expect(() => open({ controlPlane: { keys: [] } })).toThrow('no key');
    expect(() => open({ controlPlane: { keys: [key!, key!] } })).toThrow('Two keys');
    expect(() => open({ controlPlane: { keys: [{ ...key!, crv: 'X25519' }] } })).toThrow('Ed25519');
    expect(() => open({ controlPlane: { keys: [{ ...key!, x: Buffer.alloc(32).toString('base64url') }] } })).toThrow('cannot be trusted');
    // The worker's key is not the control plane's.
    expect(() => open({ controlPlane: keys.publicJwks, worker: keys.privateJwks })).toThrow('Two keys');
  });
});

describe('a guard', () => {
  it('verifies a row once, and again as soon as anything of it is different', async () => {
    const guard = open({ controlPlane: keys.publicJwks });
    const rows = Array.from({ length: 400 }, (_, i) => signed('identity', rowOf('identity', `${i}`)));
    const timed = async (): Promise<number> => {
      const from = performance.now();
      expect(await guard.authentic('identity', rows)).toHaveLength(400);
      return performance.now() - from;
    };
    const first = await timed();
    expect(await timed()).toBeLessThan(first / 2);
    expect(await guard.authentic('identity', [{ ...rows[0]!, disabled: 'no' }, rows[1]!])).toEqual([rows[1]]);
  });

  it('lets other work in between while it verifies many', async () => {
    const guard = open({ controlPlane: keys.publicJwks });
    const rows = Array.from({ length: 1000 }, (_, i) => signed('identity', rowOf('identity', `n${i}`)));
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await guard.authentic('identity', rows);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });

  it('reports a fault once, and names the row', () => {
    const faults: RowFault[] = [];
    const guard = open({ controlPlane: keys.publicJwks }, (fault) => faults.push(fault));
    const row = { ...rowOf('approval_review'), signature: null };
    for (let n = 0; n < 5; n++) expect(guard.isAuthentic('approval_review', row)).toBe(false);
    expect(() => guard.require('approval_review', row)).toThrow(/approval_review/);
    expect(faults).toHaveLength(1);
    expect(faults[0]!.detail).toContain('a approvalId a userName a via');
  });

  it('tells the audit event of a transaction what was written last of each row, and outside of one nothing', () => {
    const tx = controlPlane.forTransaction();
    tx.sign('identity', rowOf('identity'));
    tx.sign('identity', { ...rowOf('identity'), disabled: 'yes' });
    tx.remove('identity', 'gone');
    tx.sign('audit_event', rowOf('audit_event'));
    expect(tx.takeWritten()).toMatchObject([
      { kind: 'identity', id: 'a id', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { kind: 'identity', id: 'gone', digest: null },
    ]);
    expect(tx.takeWritten()).toEqual([]);
    controlPlane.sign('identity', rowOf('identity'));
    expect(controlPlane.takeWritten()).toEqual([]);
    expect(allRowKinds.filter((kind) => !isTrailed(kind)).toSorted()).toEqual(['audit_event', 'deferred_call', 'grant', 'idempotency_key']);
  });
});

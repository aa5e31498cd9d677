/** The keys that sign rows: Ed25519, so that who verifies cannot sign. */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

import { weaknessOfKey } from '@hoop/contract';

import { messageOf, type Row } from './message.ts';
import type { RowKind } from './kinds.ts';

export interface RowJwk {
  readonly kty?: string | undefined;
  readonly crv?: string | undefined;
  readonly x?: string | undefined;
  readonly d?: string | undefined;
  readonly kid?: string | undefined;
  readonly [member: string]: unknown;
}
export interface RowJwkSet {
  readonly keys: readonly RowJwk[];
}

export interface RowKeys {
  /** Of the control plane. Where they are private, the first one signs. */
  readonly controlPlane: RowJwkSet;
  /**
   * The log's keys, which the worker has. With them it signs the audit events of what it does itself, and nothing else
   * is accepted from them. Where they are private and the control plane's are not, the first one signs.
   */
  readonly worker?: RowJwkSet | undefined;
}

interface TrustedKey {
  readonly key: KeyObject;
  readonly isWorker: boolean;
}

export interface RowSignatures {
  /** @throws Error where this process has no key that may sign such a row */
  sign(kind: RowKind, row: Row, form: string): string;
  /** Why the signature does not hold, as the rest of a sentence about the row; null: it does. */
  faultOf(kind: RowKind, row: Row, form: string, signature: string | null): string | null;
}

function importKeys(set: RowJwkSet, isWorker: boolean, trusted: Map<string, TrustedKey>): { kid: string; key: KeyObject } | null {
  for (const jwk of set.keys) {
    const { kty, crv, x, kid } = jwk;
    if (crv !== 'Ed25519' || typeof kid !== 'string' || !/^[\w-]{1,100}$/.test(kid))
      throw new Error('Keys that sign rows must be Ed25519 keys, each with a kid of letters, digits, "_" and "-".');
    const weakness = weaknessOfKey(jwk);
    if (weakness !== null) throw new Error(`The key "${kid}", which signs rows, cannot be trusted: ${weakness}.`);
    if (trusted.has(kid)) throw new Error(`Two keys that sign rows have the kid "${kid}".`);
    trusted.set(kid, { key: createPublicKey({ format: 'jwk', key: { kty, crv, x } as Record<string, string> }), isWorker });
  }
  const [first] = set.keys;
  if (first?.d === undefined) return null;
  const { kty, crv, x, d } = first;
  return { kid: first.kid!, key: createPrivateKey({ format: 'jwk', key: { kty, crv, x, d } as Record<string, string> }) };
}

/** Whether the row is one that the worker may sign: an event of its own actions. */
const isWorkersOwn = (kind: RowKind, row: Row): boolean =>
  kind === 'audit_event' && row['actorId'] === 'system' && row['actorRole'] === 'system';

/** @throws Error with a sentence where a key is weak, of another kind, or there twice */
export function createRowSignatures(keys: RowKeys): RowSignatures {
  const trusted = new Map<string, TrustedKey>();
  const own = importKeys(keys.controlPlane, false, trusted);
  const workers = keys.worker === undefined ? null : importKeys(keys.worker, true, trusted);
  if (![...trusted.values()].some((one) => !one.isWorker)) throw new Error('There is no key that signs rows.');

  return {
    sign(kind, row, form) {
      const signer = own ?? (workers !== null && isWorkersOwn(kind, row) ? workers : null);
      if (signer === null) throw new Error(`This process has no key to sign a row of the kind ${kind}.`);
      return `${signer.kid}.${sign(null, messageOf(signer.kid, form), signer.key).toString('base64url')}`;
    },
    faultOf(kind, row, form, signature) {
      if (signature === null) return 'carries no signature';
      const [kid = '', encoded = '', ...more] = signature.split('.');
      const known = trusted.get(kid);
      if (known === undefined || more.length > 0) return 'is signed with a key that is not known here';
      if (known.isWorker && !isWorkersOwn(kind, row)) return 'is signed with a key that may not sign such a row';
      const bytes = Buffer.from(encoded, 'base64url');
      if (bytes.length === 64 && bytes.toString('base64url') === encoded && verify(null, messageOf(kid, form), known.key, bytes))
        return null;
      return 'is not what was signed';
    },
  };
}

/** The key that signs checkpoints: a private JWK set of Ed25519 keys for the worker, its public half for everybody else. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { weaknessOfKey } from '@hoop/contract';

import { signCheckpoint, verifierKey } from '../merkle/checkpoint.ts';
import type { Checkpoint } from '../merkle/checkpoint.ts';

export interface LogJwk {
  readonly kty?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly d?: string;
  readonly kid?: string;
  readonly [member: string]: unknown;
}
export interface LogJwkSet {
  readonly keys: readonly LogJwk[];
}

export interface GeneratedLogKeys {
  /** One private key with `kid`, `alg` and `use`. Keep in a file of mode 0600, with the worker alone. */
  readonly privateJwks: { keys: LogJwk[] };
  readonly publicJwks: { keys: LogJwk[] };
}

/** A new Ed25519 key that signs the log's checkpoints; `kid` is its thumbprint (RFC 7638). */
export function generateLogKeys(): GeneratedLogKeys {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
  const shared = { kty: 'OKP', crv: 'Ed25519', x: x!, kid, alg: 'EdDSA', use: 'sig' };
  return { privateJwks: { keys: [{ ...shared, d: d! }] }, publicJwks: { keys: [shared] } };
}

function checked(set: LogJwkSet, isPrivate: boolean): readonly LogJwk[] {
  const areGood = set.keys.every(
    (key) =>
      key.kty === 'OKP' &&
      key.crv === 'Ed25519' &&
      typeof key.kid === 'string' &&
      (key.d !== undefined) === isPrivate &&
      weaknessOfKey(key) === null,
  );
  if (set.keys.length > 0 && areGood) return set.keys;
  throw new Error(`The log's keys must be ${isPrivate ? 'private' : 'public'} Ed25519 keys only, each with a kid.`);
}

/** `given`, or `hoop/` and the beginning of the oldest (last) key's id: a new key at the front does not rename the log. */
export function logOrigin(set: LogJwkSet, given?: string): string {
  const origin = given ?? `hoop/${set.keys.at(-1)!.kid!.slice(0, 8)}`;
  if (!/^[^\s+]{1,200}$/.test(origin)) throw new Error('The name of the log (HOOP_LOG_ORIGIN) has no spaces and no "+".');
  return origin;
}

export interface LogSigner {
  readonly origin: string;
  /** Of the key that signs now. */
  readonly verifierKey: string;
  /** The signed note. */
  sign(head: Omit<Checkpoint, 'origin'>): string;
}

/** The first key signs. @throws Error with a sentence where the keys are of another kind */
export function logSigner(privateJwks: LogJwkSet, givenOrigin?: string): LogSigner {
  const [first] = checked(privateJwks, true);
  const key: KeyObject = createPrivateKey({ format: 'jwk', key: first as Record<string, string> });
  const origin = logOrigin(privateJwks, givenOrigin);
  return { origin, verifierKey: verifierKey(origin, key), sign: (head) => signCheckpoint({ origin, ...head }, key) };
}

/** Verifier keys (signed-note "vkey") of a public set, the one that signs now first. */
export function logVerifierKeys(publicJwks: LogJwkSet, givenOrigin?: string): { origin: string; keys: string[] } {
  const keys = checked(publicJwks, false);
  const origin = logOrigin(publicJwks, givenOrigin);
  return { origin, keys: keys.map((key) => verifierKey(origin, createPublicKey({ format: 'jwk', key: key as Record<string, string> }))) };
}

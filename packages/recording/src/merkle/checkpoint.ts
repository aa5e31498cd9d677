/**
 * Checkpoints of the log as C2SP signed notes (c2sp.org/tlog-checkpoint, c2sp.org/signed-note), signed with Ed25519:
 * origin, size and root, then one signature line. Any tool that reads Go's checksum database notes reads these.
 */
import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { weaknessOfKey } from '@hoop/contract';

import { emptyRoot, sameHash } from './tree.ts';
import type { Hash } from './tree.ts';

export interface Checkpoint {
  /** The log's name, e.g. `hoop.example/audit`; no spaces or `+`. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

const ed25519Algorithm = 0x01;

/** The 32 raw bytes of an Ed25519 public key (RFC 8032). */
function rawPublicKey(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
}

function keyId(name: string, raw: Uint8Array): Buffer {
  return createHash('sha256').update(`${name}\n`).update(Uint8Array.of(ed25519Algorithm)).update(raw).digest().subarray(0, 4);
}

/** `name+keyid+base64(0x01 ‖ key)`: what a verifier needs to know (signed-note, "vkey"). */
export function verifierKey(name: string, key: KeyObject): string {
  const raw = rawPublicKey(key);
  return `${name}+${keyId(name, raw).toString('hex')}+${Buffer.concat([Uint8Array.of(ed25519Algorithm), raw]).toString('base64')}`;
}

function bodyOf(checkpoint: Checkpoint): string {
  if (!/^[^\s+]+$/.test(checkpoint.origin)) throw new RangeError('The origin of a checkpoint has no spaces and no "+".');
  return `${checkpoint.origin}\n${checkpoint.size}\n${Buffer.from(checkpoint.root).toString('base64')}\n`;
}

/** The signed note. `privateKey`: Ed25519. */
export function signCheckpoint(checkpoint: Checkpoint, privateKey: KeyObject): string {
  const body = bodyOf(checkpoint);
  const signature = sign(null, Buffer.from(body), privateKey);
  const line = Buffer.concat([keyId(checkpoint.origin, rawPublicKey(privateKey)), signature]).toString('base64');
  return `${body}\n— ${checkpoint.origin} ${line}\n`;
}

function publicKeyOf(vkey: string): { name: string; id: string; key: KeyObject } | null {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  if (!match) return null;
  const encoded = Buffer.from(match[3]!, 'base64');
  if (encoded.length !== 33 || encoded[0] !== ed25519Algorithm) return null;
  const raw = encoded.subarray(1);
  if (keyId(match[1]!, raw).toString('hex') !== match[2]) return null;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
  if (weaknessOfKey(jwk) !== null) return null;
  return { name: match[1]!, id: match[2]!, key: createPublicKey({ format: 'jwk', key: jwk }) };
}

export type NoteVerdict = { readonly ok: true; readonly body: string } | { readonly ok: false; readonly why: string };

/** Verifies a signed note by the key of `vkey` and returns what was signed. Signature lines of other keys are ignored, as the format asks. */
export function openNote(note: string, vkey: string): NoteVerdict {
  const known = publicKeyOf(vkey);
  if (!known)
    return {
      ok: false,
      why: 'The verifier key is not of the form name+id+key, its id does not match its key, or its key is too weak to prove anything.',
    };
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n'))
    return { ok: false, why: 'This is not a signed note: there is no blank line before the signatures.' };
  const body = note.slice(0, end + 1);
  for (const line of note.slice(end + 2).split('\n')) {
    const match = /^— (\S+) ([A-Za-z0-9+/=]+)$/.exec(line);
    if (!match || match[1] !== known.name) continue;
    const bytes = Buffer.from(match[2]!, 'base64');
    // One signature has one form: the unused bits of base64 are no place to hide a change.
    if (bytes.toString('base64') !== match[2] || bytes.length !== 68 || bytes.subarray(0, 4).toString('hex') !== known.id) continue;
    return verify(null, Buffer.from(body), known.key, bytes.subarray(4))
      ? { ok: true, body }
      : { ok: false, why: 'The signature does not match: the note was changed or signed with another key.' };
  }
  return { ok: false, why: 'The note carries no signature of this key.' };
}

export type CheckpointVerdict = { readonly ok: true; readonly checkpoint: Checkpoint } | { readonly ok: false; readonly why: string };

/** Verifies and parses a checkpoint. Its origin must be the name of the key. */
export function openCheckpoint(note: string, vkey: string): CheckpointVerdict {
  const verdict = openNote(note, vkey);
  if (!verdict.ok) return verdict;
  const [origin, size, root] = verdict.body.split('\n');
  if (
    origin === undefined ||
    !/^(?:0|[1-9][0-9]{0,15})$/.test(size ?? '') ||
    root === undefined ||
    Buffer.from(root, 'base64').length !== 32
  ) {
    return { ok: false, why: 'The note does not start with an origin, a size and a root.' };
  }
  if (size === '0' && !sameHash(Buffer.from(root, 'base64'), emptyRoot()))
    return { ok: false, why: 'The checkpoint is of no leaves, and its root is not that of the empty tree.' };
  const name = vkey.trim().split('+', 1)[0]!;
  if (origin !== name) return { ok: false, why: `The checkpoint is of the log ${origin}, the key of ${name}.` };
  return { ok: true, checkpoint: { origin, size: Number(size), root: Buffer.from(root, 'base64') } };
}

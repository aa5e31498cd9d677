import { createPublicKey, generateKeyPairSync } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { openCheckpoint, openNote, signCheckpoint, verifierKey } from './checkpoint.ts';
import { consistencyNodes, consistencyProof, inclusionNodes, inclusionProof, verifyConsistency, verifyInclusion } from './proof.ts';
import { appendedNodes, emptyRoot, leafHash, nodeHash, rangeNodes, rootHash } from './tree.ts';
import type { Hash, NodeLookup } from './tree.ts';

const hex = (hash: Hash): string => Buffer.from(hash).toString('hex');

// The vectors of the Certificate Transparency reference implementations (certificate-transparency, trillian, merkle).
const vectorLeaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((text) =>
  Buffer.from(text, 'hex'),
);
const vectorRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const vectorInclusions: [index: number, size: number, proof: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const vectorConsistencies: [oldSize: number, size: number, proof: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

/** A log that refuses to answer for nodes it was never given. */
function logOf(leaves: readonly Hash[], batches: readonly number[] = [leaves.length]): NodeLookup {
  const stored = new Map<string, Hash>();
  const lookup: NodeLookup = (level, index) => {
    const hash = stored.get(`${level}/${index}`);
    if (!hash) throw new Error(`no node ${level}/${index}`);
    return hash;
  };
  let size = 0;
  for (const count of batches) {
    for (const node of appendedNodes(size, leaves.slice(size, size + count), lookup)) {
      const key = `${node.level}/${node.index}`;
      if (stored.has(key)) throw new Error(`node ${key} was written twice`);
      stored.set(key, node.hash);
    }
    size += count;
  }
  return lookup;
}

/** The definition of RFC 9162 §2.1.1, word for word. */
function referenceRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(referenceRoot(leaves.slice(0, k)), referenceRoot(leaves.slice(k)));
}

describe('the Merkle tree', () => {
  const leaves = vectorLeaves.map(leafHash);
  const lookup = logOf(leaves);

  it('has the published roots', () => {
    expect(vectorRoots.map((_, size) => hex(rootHash(size, lookup)))).toEqual(vectorRoots);
  });

  it.each(vectorInclusions)('gives the published inclusion proof of leaf %i in %i', (index, size, proof) => {
    expect(inclusionProof(index, size, lookup).map(hex)).toEqual(proof);
  });

  it.each(vectorConsistencies)('gives the published consistency proof from %i to %i', (oldSize, size, proof) => {
    expect(consistencyProof(oldSize, size, lookup).map(hex)).toEqual(proof);
  });

  it('agrees with the definition, however the leaves arrive in batches', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, (batches) => {
        const count = batches.reduce((a, b) => a + b, 0);
        const all = Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
        const log = logOf(all, batches);
        return hex(rootHash(count, log)) === hex(referenceRoot(all));
      }),
    );
  });

  it('proves every leaf and every extension, and no changed one', () => {
    const all = Array.from({ length: 70 }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
    const log = logOf(all);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), fc.nat(255), (size, a, b, flip) => {
        const index = a % size;
        const oldSize = b % (size + 1);
        const root = rootHash(size, log);
        const inclusion = inclusionProof(index, size, log);
        expect(verifyInclusion(all[index]!, index, size, inclusion, root)).toBe(true);
        const consistency = consistencyProof(oldSize, size, log);
        expect(verifyConsistency(oldSize, size, rootHash(oldSize, log), root, consistency)).toBe(true);
        for (const node of [...inclusionNodes(index, size), ...consistencyNodes(oldSize, size), ...rangeNodes(0, size)])
          log(node.level, node.index);

        const other = Uint8Array.from(all[index]!);
        other[flip % 32]! ^= 1 + (flip % 200);
        expect(verifyInclusion(other, index, size, inclusion, root)).toBe(false);
        if (size > 1) expect(verifyInclusion(all[index]!, (index + 1) % size, size, inclusion, root)).toBe(false);
        if (oldSize > 0 && oldSize < size) {
          expect(verifyConsistency(oldSize, size, other, root, consistency)).toBe(false);
          expect(verifyConsistency(oldSize, size, rootHash(oldSize, log), other, consistency)).toBe(false);
          expect(verifyConsistency(oldSize, size, rootHash(oldSize, log), root, [...consistency, other])).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a proof of nothing', () => {
  const root = Buffer.from(vectorRoots[8]!, 'hex');
  const any = leafHash(Buffer.from('any'));

  it('that a log extends the empty one holds for the root of the empty tree alone', () => {
    expect(verifyConsistency(0, 8, emptyRoot(), root, [])).toBe(true);
    expect(verifyConsistency(0, 8, any, root, [])).toBe(false);
    expect(verifyConsistency(0, 8, emptyRoot(), root, [any])).toBe(false);
    expect(verifyConsistency(0, 0, emptyRoot(), emptyRoot(), [])).toBe(true);
    expect(verifyConsistency(0, 0, any, any, [])).toBe(false);
  });

  it('does not hold for what is no size, no index and no hash', () => {
    for (const n of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(verifyConsistency(n, 8, emptyRoot(), root, [])).toBe(false);
      expect(verifyConsistency(1, n, any, any, [])).toBe(false);
      expect(verifyInclusion(any, n, 1, [], any)).toBe(false);
      expect(verifyInclusion(any, 0, n, [], any)).toBe(false);
    }
    expect(verifyInclusion(new Uint8Array(31), 0, 1, [], new Uint8Array(31))).toBe(false);
    expect(verifyConsistency(1, 1, new Uint8Array(0), new Uint8Array(0), [])).toBe(false);
    // A sibling of another length moves the border between the halves of a node.
    const long = Buffer.concat([any, any.subarray(0, 1)]);
    expect(verifyInclusion(any, 0, 2, [long], nodeHash(any, long))).toBe(false);
  });
});

describe('a checkpoint', () => {
  it('of no leaves has the root of the empty tree, and no key of small order signs one', () => {
    const key = generateKeyPairSync('ed25519').privateKey;
    const name = 'hoop.example/audit';
    const open = (hash: Hash) => openCheckpoint(signCheckpoint({ origin: name, size: 0, root: hash }, key), verifierKey(name, key));
    expect(open(emptyRoot()).ok).toBe(true);
    expect(open(leafHash(Buffer.from('any'))).ok).toBe(false);
    const neutral = createPublicKey({
      format: 'jwk',
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString('base64url') },
    });
    const vkeyOfAll = verifierKey(name, neutral);
    const id = Buffer.from(vkeyOfAll.split('+')[1]!, 'hex');
    const forged = Buffer.concat([id, Buffer.from([1]), Buffer.alloc(63)]).toString('base64');
    expect(openCheckpoint(`${name}\n8\n${Buffer.alloc(32).toString('base64')}\n\n— ${name} ${forged}\n`, vkeyOfAll).ok).toBe(false);
  });

  const { privateKey } = generateKeyPairSync('ed25519');
  const checkpoint = { origin: 'hoop.example/audit', size: 8, root: Buffer.from(vectorRoots[8]!, 'hex') };
  const vkey = verifierKey(checkpoint.origin, privateKey);
  const note = signCheckpoint(checkpoint, privateKey);

  it('opens with its key', () => {
    expect(openCheckpoint(note, vkey)).toEqual({ ok: true, checkpoint });
  });

  it('verifies the published note of the signed-note format', () => {
    // From golang.org/x/mod/sumdb/note: the example signer PeterNeumann.
    const key = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    const body = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
    expect(openNote(text, key)).toEqual({ ok: true, body });
    expect(openNote(text.replace('answer', 'Answer'), key).ok).toBe(false);
    expect(openCheckpoint(text, key)).toEqual({ ok: false, why: 'The note does not start with an origin, a size and a root.' });
  });

  it('does not open when any character of it is changed', () => {
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.constantFrom('0', 'a', '\n', '—'), (at, character) => {
        const changed = note.slice(0, at) + character + note.slice(at + 1);
        if (changed === note) return true;
        const verdict = openCheckpoint(changed, vkey);
        // The unused bits of the last base64 digit are not part of the signature.
        return !verdict.ok || JSON.stringify(verdict.checkpoint) === JSON.stringify(checkpoint);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not open with another key or for another log', () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    expect(openCheckpoint(note, verifierKey(checkpoint.origin, other)).ok).toBe(false);
    expect(openCheckpoint(note, verifierKey('another.example/audit', privateKey)).ok).toBe(false);
    expect(openCheckpoint('no note', vkey).ok).toBe(false);
    expect(openCheckpoint(note, 'no key').ok).toBe(false);
  });
});

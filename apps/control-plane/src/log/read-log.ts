import {
  AppError,
  getConsistencyProof as consistencyOperation,
  getInclusionProof as inclusionOperation,
  getLogCheckpoint as checkpointOperation,
  getLogKey as keyOperation,
  getLogStatus as statusOperation,
} from '@hoop/contract';
import { leavesOf, listWitnesses, proveConsistency, proveInclusion, readCheckpoint, readLogStatus, type Transaction } from '@hoop/database';
import { logLeafHash } from '@hoop/recording';

import { found } from '../http/found.ts';
import { route } from '../http/route.ts';

const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64');

/** The newest checkpoint, or the one of a size; only what was signed can be proved. */
async function signed(tx: Transaction, size: number | undefined) {
  const checkpoint = await readCheckpoint(tx, size);
  if (checkpoint !== null) return checkpoint;
  throw new AppError('not_found', size === undefined ? 'Nothing has been sequenced yet.' : `No checkpoint of ${size} leaves was signed.`);
}

export const getLogStatus = route(statusOperation, async ({ context }) => {
  const { prisma } = context.database;
  const [{ size, root, pending }, checkpoint, witnesses] = await Promise.all([
    readLogStatus(prisma),
    readCheckpoint(prisma),
    listWitnesses(prisma),
  ]);
  return {
    body: {
      size,
      root: base64(root),
      pending,
      checkpointAt: checkpoint === null ? null : new Date(checkpoint.at).toISOString(),
      witnesses: witnesses.map((witness) => ({ ...witness, at: witness.at?.toISOString() ?? null })),
    },
  };
});

export const getLogCheckpoint = route(checkpointOperation, async ({ context }) => ({
  body: (await signed(context.database.prisma, undefined)).note,
}));

export const getLogKey = route(keyOperation, async ({ context }) => {
  const { log } = context.keys;
  if (log === null) throw new AppError('unavailable', 'The control plane was not given the key of the log: set HOOP_LOG_PUBLIC_KEY_FILE.');
  return { body: log.keys.map((key) => `${key}\n`).join('') };
});

export const getInclusionProof = route(inclusionOperation, async ({ context, params, query }) => {
  const { prisma } = context.database;
  const { size, note } = await signed(prisma, query.size);
  const leaves = (await leavesOf(prisma, params.recordId)).filter(
    (leaf) => leaf.index < size && (query.index === undefined || leaf.index === query.index),
  );
  const leaf = found(leaves.at(-1) ?? null, 'leaf of this record in the log of this size');
  return {
    body: {
      leaf: {
        index: leaf.index,
        kind: leaf.kind,
        id: leaf.refId,
        digest: Buffer.from(leaf.digest).toString('hex'),
        leafHash: base64(logLeafHash(leaf.kind, leaf.refId, leaf.digest)),
        sequencedAt: new Date(leaf.at).toISOString(),
      },
      size,
      proof: (await proveInclusion(prisma, leaf.index, size)).map(base64),
      checkpoint: note,
    },
  };
});

export const getConsistencyProof = route(consistencyOperation, async ({ context, query }) => {
  const { prisma } = context.database;
  const { size, note } = await signed(prisma, query.to);
  if (query.from > size) {
    const message = `is ${query.from}, and the log of which this is to be proved has ${size} leaves`;
    throw new AppError('invalid_request', `\`from\` in the query: ${message}.`, { extras: { errors: [{ path: 'from', message }] } });
  }
  return { body: { from: query.from, to: size, proof: (await proveConsistency(prisma, query.from, size)).map(base64), checkpoint: note } };
});

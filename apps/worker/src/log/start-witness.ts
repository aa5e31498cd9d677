/** Tells witnesses outside of the newest checkpoint, after checking that it extends the one they had before. */
import { noteWitnessed, noteWitnessError, proveConsistency, readCheckpoint, readWitness } from '@hoop/database';
import { logSigner, openCheckpoint, verifyConsistency } from '@hoop/recording';
import type { Checkpoint } from '@hoop/recording';
import { createGuardedFetch, FetchRefused } from '@hoop/upstream';
import type { GuardedFetch } from '@hoop/upstream';

import type { Part, WorkerContext } from '../context.ts';
import { raiseIntegrityAlarm } from './integrity-alarm.ts';
import { pause } from './pause.ts';
import { appendWitnessed, lastWitnessed } from './witness-file.ts';

interface Newest extends Checkpoint {
  readonly note: string;
}

export function startWitness(context: WorkerContext): Part {
  const { config, db, log, now } = context;
  const { witnessFile, witnessUrl } = config;
  if (config.logKeys === undefined || (witnessFile === undefined && witnessUrl === undefined)) return { close: () => Promise.resolve() };
  // Its own key first, older ones after it: a checkpoint of before a change of keys still counts.
  const keys = config.logKeys.keys.map(
    (key) => logSigner({ keys: [key] }, logSigner(config.logKeys!, config.logOrigin).origin).verifierKey,
  );
  const send = createGuardedFetch({ allowedCidrs: config.witnessCidrs ?? [], timeoutMs: 15_000, maxBytes: 65_536, retries: 0 });
  const closing = new AbortController();

  function openOwn(note: string): Checkpoint | null {
    for (const key of keys) {
      const verdict = openCheckpoint(note, key);
      if (verdict.ok) return verdict.checkpoint;
    }
    return null;
  }

  async function newest(): Promise<Newest | null> {
    const row = await readCheckpoint(db.prisma);
    if (row === null) return null;
    const checkpoint = openOwn(row.note);
    if (checkpoint === null || checkpoint.size !== row.size)
      throw new Disagreement('The newest checkpoint in the database was not signed by the key of this worker.');
    return { ...checkpoint, note: row.note };
  }

  /** The proof that `to` extends `from`. @throws Disagreement where it does not */
  async function extension(from: Checkpoint, to: Checkpoint): Promise<readonly Uint8Array[]> {
    if (from.size > to.size)
      throw new Disagreement(`The witness has a checkpoint of ${from.size} leaves, and the log has ${to.size}: it was cut.`);
    const proof = await proveConsistency(db.prisma, from.size, to.size);
    if (verifyConsistency(from.size, to.size, from.root, to.root, proof)) return proof;
    throw new Disagreement(
      `The log of ${to.size} leaves does not extend the checkpoint of ${from.size} leaves that the witness has: it was rewritten.`,
    );
  }

  const witnesses: Record<string, (to: Newest) => Promise<void>> = {
    ...(witnessFile === undefined
      ? {}
      : {
          async file(to) {
            const from = await lastWitnessed(witnessFile, keys);
            if (from !== null) await extension(from, to);
            if (from === null || from.size < to.size) await appendWitnessed(witnessFile, to.note);
          },
        }),
    ...(witnessUrl === undefined
      ? {}
      : {
          async url(to) {
            const { size } = await readWitness(db.prisma, 'url');
            if (size === to.size) return;
            const told = await addCheckpoint(send, witnessUrl, to, size, await proofFrom(size, to));
            // It knows better than we do how far it is.
            if (told !== null) await addCheckpoint(send, witnessUrl, to, told, await proofFrom(told, to));
          },
        }),
  };

  async function proofFrom(size: number, to: Newest): Promise<readonly Uint8Array[]> {
    if (size === 0) return [];
    const row = await readCheckpoint(db.prisma, Math.min(size, to.size));
    const from = row === null || row.size !== size ? null : openOwn(row.note);
    if (from === null) throw new Disagreement(`The witness has a checkpoint of ${size} leaves that this log does not have any more.`);
    return extension(from, to);
  }

  async function tell(): Promise<void> {
    for (const [name, witness] of Object.entries(witnesses)) {
      try {
        const to = await newest();
        if (to === null) return;
        await witness(to);
        await noteWitnessed(db.prisma, name, to.size, now());
      } catch (error) {
        const sentence = error instanceof FetchRefused ? error.reason : (error as Error).message;
        if (error instanceof Disagreement) await raiseIntegrityAlarm(context, 'witness_disagrees', sentence);
        else log.warn({ event: 'witness_failed', witness: name, error: sentence });
        await noteWitnessError(db.prisma, name, sentence).catch(() => undefined);
      }
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await tell();
      await pause((config.witnessSeconds ?? 60) * 1000, closing.signal);
    }
  }
  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** The log and its witness do not agree: one of them was changed. */
class Disagreement extends Error {
  override readonly name = 'Disagreement';
}

/**
 * C2SP tlog-witness, `add-checkpoint`: the size that the witness has, the proof from there, and the note.
 *
 * @returns null where it was taken; the size that the witness has, where that is another one (409)
 */
async function addCheckpoint(
  send: GuardedFetch,
  url: string,
  to: Newest,
  from: number,
  proof: readonly Uint8Array[],
): Promise<number | null> {
  const lines = [`old ${from}`, ...proof.map((hash) => Buffer.from(hash).toString('base64'))];
  const response = await send(url, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: `${lines.join('\n')}\n\n${to.note}`,
  });
  if (response.status >= 200 && response.status < 300) return null;
  const size = /^\d{1,15}\n?$/.exec(response.body.toString('utf8'));
  if (response.status === 409 && size !== null && Number(size[0]) !== from) return Number(size[0]);
  throw new Error(`The witness answered ${response.status}.`);
}

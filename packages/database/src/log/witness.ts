/** The progress of external witnesses of the log. */
import type { Transaction } from '../database.ts';

export interface WitnessState {
  readonly name: string;
  /** Of the newest checkpoint that it took; 0: none yet. */
  readonly size: number;
  readonly at: Date | null;
  readonly error: string | null;
}

export async function readWitness(tx: Transaction, name: string): Promise<WitnessState> {
  const row = await tx.logWitness.findUnique({ where: { name } });
  return row === null ? { name, size: 0, at: null, error: null } : { ...row, size: Number(row.size) };
}

/** After a checkpoint was taken. */
export async function noteWitnessed(tx: Transaction, name: string, size: number, now: number): Promise<void> {
  const data = { size: BigInt(size), at: new Date(now), error: null };
  await tx.logWitness.upsert({ where: { name }, create: { name, ...data }, update: data });
}

/** After a failure. */
export async function noteWitnessError(tx: Transaction, name: string, error: string): Promise<void> {
  await tx.logWitness.upsert({ where: { name }, create: { name, error }, update: { error } });
}

export async function listWitnesses(tx: Transaction): Promise<WitnessState[]> {
  return (await tx.logWitness.findMany({ orderBy: { name: 'asc' } })).map((row) => ({ ...row, size: Number(row.size) }));
}

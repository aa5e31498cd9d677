/**
 * Measures the tamper-evident log: leaves a second that the sequencer makes of calls (digest of each row, its bodies
 * and key, Merkle nodes, signed checkpoint, one transaction a batch; fsync on); calls a second that are written with and
 * without the sequencer beside it in the same process, in turn; the export and its verification. `--calls N` (40000).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { newId } from '@hoop/contract';
import type { RecordEntry } from '@hoop/contract';
import { guardOf, migrateDatabase, openDatabase, openLogExport, recordEntries, sequenceLog } from '@hoop/database';
import type { Database, SequenceResult } from '@hoop/database';
import { startPostgres } from '@hoop/embedded-postgres';
import { generateLogKeys, logSigner, verifyLogExport } from '@hoop/recording';

import { sampleCall } from '../packages/database/test/sample-entries.ts';
import { median, openBench } from './measure.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, calls: { type: 'string', default: '40000' } } });
const calls = Number(values.calls);
const pairs = 5;

const bench = openBench('log');
const signer = logSigner(generateLogKeys().privateJwks);
const folder = await mkdtemp(path.join(os.tmpdir(), 'hoop-bench-log-'));
const postgres = await startPostgres({ folder: path.join(folder, 'data'), port: 0, password: 'bench' });
try {
  await migrateDatabase(postgres.url);
  const db = openDatabase(postgres.url, { rows: { controlPlane: generateLogKeys().publicJwks } });
  await sequencing(db);
  await beside(db);
  await exporting(db);
  await db.close();
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

async function record(db: Database, count: number): Promise<void> {
  const samples = Array.from({ length: 512 }, () => sampleCall());
  for (let written = 0; written < count; written += samples.length) {
    const sessionId = newId('session');
    const entries = samples.slice(0, count - written).flatMap(({ intent, outcome }): RecordEntry[] => {
      const callId = newId('call');
      return [
        { ...intent, head: { ...intent.head, callId, sessionId } },
        { ...outcome, callId, sessionId, dataKey: { ...outcome.dataKey!, id: `key_${sessionId}` } },
      ];
    });
    await recordEntries(db.pool, entries);
  }
}

function sequence(db: Database): Promise<SequenceResult> {
  return sequenceLog(db.pool, { sign: signer.sign, guard: guardOf(db.prisma), now: Date.now() });
}

async function sequencing(db: Database): Promise<void> {
  await record(db, calls);
  let leaves = 0;
  let batches = 0;
  const took = await seconds(async () => {
    for (let taken = -1; taken !== 0; batches++) {
      ({ taken } = await sequence(db));
      leaves += taken;
    }
  });
  const rate = leaves / took;
  bench.report({ case: 'leaves of calls with a 1 KB body', value: rate, unit: 'leaves/s', ratio: rate / 5000, goal: 1, leaves, batches });
  if (leaves !== calls) process.exitCode = 1;
}

/** Ingestion alone and with the sequencer beside it, in turn; the sequencer must not hold it up. */
async function beside(db: Database): Promise<void> {
  const count = 6000;
  const ratios: number[] = [];
  const rates: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const alone = count / (await seconds(() => record(db, count)));
    while ((await sequence(db)).taken > 0);
    let isDone = false;
    const sequencer = (async () => {
      while (!isDone) {
        await sequence(db);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    })();
    const together = count / (await seconds(() => record(db, count)));
    isDone = true;
    await sequencer;
    while ((await sequence(db)).taken > 0);
    ratios.push(together / alone);
    rates.push(together);
  }
  bench.report({
    case: 'calls written with the sequencer in the same process, over without',
    value: median(rates),
    unit: 'calls/s',
    ratio: median(ratios),
    pairs,
  });
}

async function exporting(db: Database): Promise<void> {
  const lines: Buffer[] = [];
  const log = await openLogExport(db.pool, signer.verifierKey, null);
  const { size } = log!;
  const exported = await seconds(async () => {
    for await (const line of log!.lines) lines.push(Buffer.from(line));
  });
  const bytes = lines.reduce((sum, line) => sum + line.length, 0);
  bench.report({ case: 'export', value: size / exported, unit: 'leaves/s', size, bytesPerLeaf: Math.round(bytes / size) });
  let ok = false;
  const verified = await seconds(async () => {
    ({ ok } = await verifyLogExport(
      (async function* () {
        yield* lines;
      })(),
      { keys: [signer.verifierKey] },
    ));
  });
  bench.report({ case: 'verify', value: size / verified, unit: 'leaves/s', ok });
  if (!ok) process.exitCode = 1;
}

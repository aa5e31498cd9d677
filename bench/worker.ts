/** Starts a worker for measurement. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { generateLogKeys } from '@hoop/recording';

import { startProcess } from './measure.ts';
import type { BenchProcess } from './measure.ts';

const main = path.join(import.meta.dirname, '../apps/worker/src/main.ts');

/**
 * Resolves once it takes entries from the queue in its database.
 * @param core null: not pinned to one
 * @throws Error where it does not start
 */
export async function startBenchWorker(databaseUrl: string, core: number | null): Promise<BenchProcess> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hoop-bench-worker-'));
  try {
    const keys = path.join(folder, 'rows.json');
    await writeFile(keys, JSON.stringify(generateLogKeys().publicJwks));
    const worker = startProcess(main, {
      core,
      env: { DATABASE_URL: databaseUrl, HOOP_ROW_PUBLIC_KEY_FILE: keys, HOOP_LOG_LEVEL: 'warn' },
    });
    await worker.listening();
    return worker;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

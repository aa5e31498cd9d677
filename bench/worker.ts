/** Starts a worker for measurement. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { generateLogKeys } from '@hoop/recording';

import { startProcess } from './measure.ts';
import type { BenchProcess } from './measure.ts';

/** Of all workers of a run: they append to one log. */
const logKeys = generateLogKeys();

const main = path.join(import.meta.dirname, '../apps/worker/src/main.ts');

/**
 * Resolves once it takes entries from the queue in its database. It also makes leaves of the log.
 * @param core null: not pinned to one
 * @throws Error where it does not start
 */
export async function startBenchWorker(databaseUrl: string, core: number | null): Promise<BenchProcess> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hoop-bench-worker-'));
  try {
    const [rowKeys, signingKeys] = [path.join(folder, 'rows.json'), path.join(folder, 'log.json')];
    await writeFile(rowKeys, JSON.stringify(generateLogKeys().publicJwks));
    await writeFile(signingKeys, JSON.stringify(logKeys.privateJwks), { mode: 0o600 });
    const worker = startProcess(main, {
      core,
      env: { DATABASE_URL: databaseUrl, HOOP_ROW_PUBLIC_KEY_FILE: rowKeys, HOOP_LOG_KEY_FILE: signingKeys, HOOP_LOG_LEVEL: 'warn' },
    });
    await worker.listening();
    return worker;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

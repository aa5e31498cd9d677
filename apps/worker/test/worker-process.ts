/** A worker in a process of its own, which a test kills with -9. `argv`: its configuration as JSON. */
import { startWorker } from '@hoop/worker';
import type { WorkerConfig } from '@hoop/worker';

await startWorker(JSON.parse(process.argv[2]!) as WorkerConfig);
process.send!({ event: 'listening' });

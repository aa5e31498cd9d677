/** Starts the worker, drains on a signal and exits. */
import { unknownVariables, unknownVariablesSentence } from '@hoop/environment';
import { pino } from 'pino';

import { readConfig, workerVariables } from './config.ts';
import { startWorker } from './index.ts';

const log = pino({ name: 'hoop-worker' });

try {
  const unknown = unknownVariables(workerVariables, process.env);
  if (unknown.length > 0) log.warn({ event: 'unknown_variables' }, unknownVariablesSentence(unknown, 'worker'));
  const config = readConfig(process.env);
  process.send?.({ event: 'starting', step: 'opening its database and its queue' });
  const starting = startWorker(config);
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      starting
        .then((worker) => worker.close())
        .then(
          () => process.exit(0),
          (error: unknown) => {
            log.fatal({ event: 'stop_failed', error: String(error) }, 'the worker could not stop in order');
            process.exit(1);
          },
        );
    });
  }
  await starting;
  log.info({ event: 'listening' }, 'worker running');
  process.send?.({ event: 'listening' });
} catch (error) {
  const message = `The worker cannot start: ${error instanceof Error ? error.message : String(error)}`;
  log.fatal({ event: 'start_failed' }, message);
  if (process.send) process.send({ event: 'failed', message }, () => process.exit(1));
  else process.exit(1);
}

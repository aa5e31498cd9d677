/** Starts the relay's processes, drains on a signal and exits. With more than one, this process only looks after them. */
import cluster from 'node:cluster';

import { unknownVariables, unknownVariablesSentence } from '@hoop/environment';
import { pino } from 'pino';

import { readConfig, relayVariables } from './config.ts';
import { startRelay } from './index.ts';
import { superviseWorkers } from './process/supervise.ts';

const log = pino({ name: 'hoop-relay' });

function listening(url: string): void {
  log.info({ event: 'listening', url }, `relay listening on ${url}`);
  process.send?.({ event: 'listening', url });
}

function onSignal(stop: () => Promise<void>): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal({ event: 'stop_failed', error: String(error) }, 'the relay could not stop in order');
          process.exit(1);
        },
      );
    });
  }
}

try {
  const unknown = cluster.isPrimary ? unknownVariables(relayVariables, process.env) : [];
  if (unknown.length > 0) log.warn({ event: 'unknown_variables' }, unknownVariablesSentence(unknown, 'relay'));
  const config = readConfig(process.env);
  if (cluster.isPrimary && config.workers > 1) {
    onSignal(
      superviseWorkers({
        count: config.workers,
        log,
        onListening: listening,
        onProgress: (message) => process.send?.(message),
        onFailure: () => process.exit(1),
      }),
    );
  } else {
    process.send?.({ event: 'starting', step: "waiting for the control plane's configuration" });
    const starting = startRelay(config);
    onSignal(async () => (await starting).close());
    const relay = await starting;
    if (cluster.isWorker) process.send?.({ event: 'listening', url: relay.url });
    else listening(relay.url);
  }
} catch (error) {
  const message = `The relay cannot start: ${error instanceof Error ? error.message : String(error)}`;
  log.fatal({ event: 'start_failed' }, message);
  if (process.send) process.send({ event: 'failed', message }, () => process.exit(1));
  else process.exit(1);
}

/** Starts the relay's processes, drains on a signal and exits. With more than one, this process only looks after them. */
import cluster from 'node:cluster';

import { unknownVariables, unknownVariablesSentence } from '@hoop/environment';
import { pino } from 'pino';

import { readConfig, readShipperConfig, relayVariables } from './config.ts';
import { startRelay } from './index.ts';
import { keepShipping } from './process/keep-shipping.ts';
import { superviseWorkers } from './process/supervise.ts';
import { Shipper } from './shipping/ship.ts';
import type { ShipperConfig } from './shipping/ship.ts';

/** `node main.ts ship`: the process that ships the journals of the relays on this machine. */
const isShipper = process.argv[2] === 'ship';
const log = pino({ name: isShipper ? 'hoop-shipper' : 'hoop-relay' });
/** Of the shipper, once the relays have ended: the rest is shipped when it starts again. */
const shipRestMs = 20_000;

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

function ship(config: ShipperConfig): void {
  const shipper = new Shipper(config, log);
  const stop = async (): Promise<void> => {
    if (!(await shipper.close(shipRestMs)))
      log.warn({ event: 'journal_left' }, 'a part of the journal is left to be shipped at the next start');
  };
  onSignal(stop);
  // The relay that started it was killed.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  log.info({ event: 'shipping', folder: config.folder }, 'shipping the journals of the relays');
}

async function relay(): Promise<void> {
  const config = readConfig(process.env);
  const stopShipping = cluster.isPrimary && config.journal !== undefined ? keepShipping(log) : () => Promise.resolve();
  if (cluster.isPrimary && config.workers > 1) {
    const stop = superviseWorkers({
      count: config.workers,
      log,
      onListening: listening,
      onProgress: (message) => process.send?.(message),
      onFailure: () => process.exit(1),
    });
    onSignal(() => stop().then(stopShipping));
    return;
  }
  process.send?.({ event: 'starting', step: "waiting for the control plane's configuration" });
  const starting = startRelay(config);
  onSignal(async () => (await starting).close().then(stopShipping));
  const { url } = await starting;
  if (cluster.isWorker) process.send?.({ event: 'listening', url });
  else listening(url);
}

try {
  const unknown = cluster.isPrimary && !isShipper ? unknownVariables(relayVariables, process.env) : [];
  if (unknown.length > 0) log.warn({ event: 'unknown_variables' }, unknownVariablesSentence(unknown, 'relay'));
  if (isShipper) {
    const config = readShipperConfig(process.env);
    if (config === undefined) throw new Error('HOOP_JOURNAL_FOLDER is not set, so there is no journal to ship.');
    ship(config);
  } else {
    await relay();
  }
} catch (error) {
  const message = `The relay cannot start: ${error instanceof Error ? error.message : String(error)}`;
  log.fatal({ event: 'start_failed' }, message);
  if (process.send) process.send({ event: 'failed', message }, () => process.exit(1));
  else process.exit(1);
}

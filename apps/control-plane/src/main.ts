/** Starts the control plane, and drains it on a signal to stop. */
import process from 'node:process';

import { unknownVariables, unknownVariablesSentence } from '@hoop/environment';

import { controlPlaneVariables, readConfig, startControlPlane } from './index.ts';

async function main(): Promise<void> {
  const unknown = unknownVariables(controlPlaneVariables, process.env);
  if (unknown.length > 0) {
    const message = unknownVariablesSentence(unknown, 'control plane');
    process.stderr.write(`${JSON.stringify({ event: 'unknown_variables', app: 'control-plane', message })}\n`);
  }
  const config = readConfig(process.env);
  process.send?.({ event: 'starting', step: 'opening its database' });
  const controlPlane = await startControlPlane(config);
  process.send?.({ event: 'listening', url: controlPlane.url });
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    controlPlane.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The process that started us is gone.
  process.on('disconnect', stop);
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${JSON.stringify({ event: 'failed', app: 'control-plane', message })}\n`);
  process.exitCode = 1;
  process.send?.({ event: 'failed', message });
});

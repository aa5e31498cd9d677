/** vitest's `globalSetup`: offers Postgres to the run; it starts only if a test asks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresBroker: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const main = fileURLToPath(new URL('./postgres-broker-main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@hoop/source', main], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const url = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => line as string),
    exited.then(([code]) => Promise.reject(new Error(`The broker of the test Postgres ended (exit ${code}).`))),
  ]);
  project.provide('postgresBroker', url);
  return async () => {
    child.stdin.end();
    await exited;
  };
}

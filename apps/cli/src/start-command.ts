/** `hoop start` on the command line. */
import type { Command } from 'commander';

import { addCommand } from './command-line.ts';
import { readStartFlags, type StartFlags, type StartOptions } from './start/options.ts';

const description = `Starts everything: embedded Postgres, control plane, relay and worker. On an empty data folder it then runs a demonstration.`;

const environmentHelp = `
Environment: DATABASE_URL (a Postgres of your own instead of the embedded one), REDIS_URL (queues in Redis: docs/durability.md says
which settings it needs).`;

/** Adds `hoop start`. */
export function addStart(program: Command, run: (options: StartOptions) => void | Promise<void>): void {
  addCommand(program, 'start', 'start everything on this machine')
    .description(description)
    .option('--data-dir <folder>', 'where everything is kept', '.hoop')
    .option('--host <address>', 'what control plane and relay listen on', '127.0.0.1')
    .option('--port <n>', 'port of the control plane (default 7700; 0: any free one)')
    .option('--relay-port <n>', 'port of the relay (default 7710)')
    .option('--proxy-port <n>', 'port of the forward proxy (default 7711)')
    .option('--postgres-port <n>', 'port of the embedded Postgres (default 7720)')
    .option('--workers <n>', 'processes of the relay (default 1)')
    .option('--no-demo', 'no demonstration')
    .option('--once', 'stop after the demonstration: exit code 0 if all went as it should, else 1')
    .option('--json', 'print the transcript as one JSON document')
    .addHelpText('after', environmentHelp)
    .action((flags: StartFlags) => run(readStartFlags(flags)));
}

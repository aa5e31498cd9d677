/** `hoop start`'s command line. */
import { parseArgs } from 'node:util';

import { StartError } from '../start-error.ts';

export interface StartOptions {
  readonly dataDir: string;
  /** Address that control plane and relay listen on. */
  readonly host: string;
  readonly port: number;
  readonly relayPort: number;
  readonly postgresPort: number;
  /** Processes of the relay. */
  readonly workers: number;
  /** Run the demonstration if the data folder is empty. */
  readonly demo: boolean;
  /** Exit after the start and the demonstration. */
  readonly once: boolean;
  /** Standard output carries one JSON document and nothing else. */
  readonly json: boolean;
}

export const startHelp = `Usage: hoop start [options]

Starts everything: embedded Postgres, control plane, relay and worker. On an empty data
folder it then runs a demonstration.

  --data-dir FOLDER      where everything is kept (default .hoop)
  --host ADDRESS         what control plane and relay listen on (default 127.0.0.1)
  --port N               port of the control plane (default 7700; 0: any free one)
  --relay-port N         port of the relay (default 7710)
  --postgres-port N      port of the embedded Postgres (default 7720)
  --workers N            processes of the relay (default 1)
  --no-demo              no demonstration
  --once                 stop after the demonstration: exit code 0 if all went as it should, else 1
  --json                 print the transcript as one JSON document

Environment: DATABASE_URL (a Postgres of your own instead of the embedded one), REDIS_URL (queues in Redis: docs/durability.md says
which settings it needs).
`;

function whole(flag: string, text: string | undefined, fallback: number, least: number, most: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new StartError(`${flag} must be a whole number from ${least} to ${most}.`);
  return value;
}

export function parseStartOptions(args: readonly string[]): StartOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        'data-dir': { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        'relay-port': { type: 'string' },
        'postgres-port': { type: 'string' },
        workers: { type: 'string' },
        'no-demo': { type: 'boolean' },
        once: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    }));
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('. ')[0]!.replace(/\.$/, '')}. See hoop help start.`, { cause: error });
  }
  const dataDir = values['data-dir'] ?? '.hoop';
  if (dataDir === '') throw new StartError('--data-dir needs the name of a folder.');
  const ports = {
    port: whole('--port', values.port, 7700, 0, 65_535),
    relayPort: whole('--relay-port', values['relay-port'], 7710, 0, 65_535),
    postgresPort: whole('--postgres-port', values['postgres-port'], 7720, 0, 65_535),
  };
  const fixed = Object.values(ports).filter((port) => port !== 0);
  if (new Set(fixed).size < fixed.length) throw new StartError('--port, --relay-port and --postgres-port must differ.');
  return {
    dataDir,
    host: values.host ?? '127.0.0.1',
    ...ports,
    workers: whole('--workers', values.workers, 1, 1, 64),
    demo: values['no-demo'] !== true,
    once: values.once === true,
    json: values.json === true,
  };
}

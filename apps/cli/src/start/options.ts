/** The options of `hoop start`, with their defaults and limits. */
import { StartError } from '../start-error.ts';

export interface StartOptions {
  readonly dataDir: string;
  /** Address that control plane and relay listen on. */
  readonly host: string;
  readonly port: number;
  readonly relayPort: number;
  /** Of the forward proxy. */
  readonly proxyPort: number;
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

/** The flags, as Commander names them. */
export interface StartFlags {
  readonly dataDir: string;
  readonly host: string;
  readonly port?: string;
  readonly relayPort?: string;
  readonly proxyPort?: string;
  readonly postgresPort?: string;
  readonly workers?: string;
  readonly demo: boolean;
  readonly once?: true;
  readonly json?: true;
}

function whole(flag: string, text: string | undefined, fallback: number, least: number, most: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new StartError(`${flag} must be a whole number from ${least} to ${most}.`);
  return value;
}

/** @throws StartError */
export function readStartFlags(flags: StartFlags): StartOptions {
  const { dataDir, host, demo } = flags;
  if (dataDir === '') throw new StartError('--data-dir needs the name of a folder.');
  const ports = {
    port: whole('--port', flags.port, 7700, 0, 65_535),
    relayPort: whole('--relay-port', flags.relayPort, 7710, 0, 65_535),
    proxyPort: whole('--proxy-port', flags.proxyPort, 7711, 0, 65_535),
    postgresPort: whole('--postgres-port', flags.postgresPort, 7720, 0, 65_535),
  };
  const fixed = Object.values(ports).filter((port) => port !== 0);
  if (new Set(fixed).size < fixed.length) throw new StartError('--port, --relay-port, --proxy-port and --postgres-port must differ.');
  return {
    dataDir,
    host,
    ...ports,
    workers: whole('--workers', flags.workers, 1, 1, 64),
    demo,
    once: flags.once === true,
    json: flags.json === true,
  };
}

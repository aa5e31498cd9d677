/**
 * The requirements of `npm run test:peers` on the machine: real servers and clients of other makers. There a missing one is named
 * and its tests are skipped; under CI it is an error. `npm test` runs none of these tests.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Whether this is `npm run test:peers`. */
export const isPeersRun: boolean = process.env['HOOP_TEST_PEERS'] === 'true';

/** The queues that this run tests: for `describe.each`. `npm test` has the embedded default, the peers' run has Redis. */
export const testedQueues: readonly ('postgres' | 'redis')[] = isPeersRun ? ['redis'] : ['postgres'];

export interface Peer {
  readonly name: string;
  /** How it is installed, for people. */
  readonly install: string;
}

const missing = new Set<string>();

/** The program on PATH, null where there is none. */
export function findProgram(program: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return null;
}

/**
 * The program for the peers' run; null in `npm test`, and after saying so where it is missing.
 * @throws Error under CI, where every peer must be there
 */
export function findPeer(program: string, install: string): string | null {
  return isPeersRun ? (findProgram(program) ?? absent({ name: program, install })) : null;
}

/**
 * A Python that has the modules, or null after saying what is missing. `HOOP_PEERS_PYTHON` names the interpreter.
 * @throws Error under CI
 */
export function findPython(modules: readonly string[]): string | null {
  if (!isPeersRun) return null;
  const python = process.env['HOOP_PEERS_PYTHON'] ?? 'python3';
  const found = spawnSync(python, ['-c', `import ${modules.join(', ')}`], { encoding: 'utf8' });
  if (found.status === 0) return python;
  return absent({ name: `Python with ${modules.join(', ')}`, install: `${python} -m pip install ${modules.join(' ')}` });
}

function absent(peer: Peer): null {
  const sentence = `${peer.name} is not on this machine: its tests cannot run. Install it (${peer.install}).`;
  if (process.env['CI'] === 'true') throw new Error(sentence);
  if (!missing.has(peer.name)) process.stderr.write(`\n*** ${sentence} They are SKIPPED. ***\n\n`);
  missing.add(peer.name);
  return null;
}

/** How many files and sockets a process may have open. */
import process from 'node:process';

import { StartError } from '../start-error.ts';

/** Postgres' programs do not start below; the relay needs two for each call under way. */
export const fewestOpenFiles = 128;
const enoughOpenFiles = 1024;

/** The hard limit, to which Node raises its own as it starts; undefined where there is none, or where the system has no such limit. */
export function openFilesLimit(): number | undefined {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { hard?: number | string } } };
  const hard = userLimits?.open_files?.hard;
  return typeof hard === 'number' ? hard : undefined;
}

/** @throws StartError where the limit is too low to start with */
export function checkOpenFiles(limit: number | undefined, say: (sentence: string) => void): void {
  if (limit === undefined || limit >= enoughOpenFiles) return;
  const raise = `raise it with "ulimit -n ${enoughOpenFiles}" or in the limits of the service`;
  if (limit < fewestOpenFiles) {
    throw new StartError(`The limit of open files is ${limit}, and Hoop needs at least ${fewestOpenFiles} to start: ${raise}.`);
  }
  say(`The limit of open files is ${limit}: few calls fit in at once. To carry more, ${raise}.`);
}

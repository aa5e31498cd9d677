/** The environment of this process: the one file of the CLI that reads it. */
import process from 'node:process';

/** All of it, as the commands get it. */
export const ownEnvironment = (): NodeJS.ProcessEnv => process.env;

/** The part that any program needs and that is nobody's secret: what a process that the CLI starts inherits. */
export function childEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ['PATH', 'TMPDIR', 'LANG', 'TZ', 'NODE_EXTRA_CA_CERTS', 'SystemRoot']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

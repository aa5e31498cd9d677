import { readEnvironment } from '../environment.ts';
import { HoopTokenError } from '../hoop-token-error.ts';
import type { TokenSource } from './token-source.ts';

/** The token in an environment variable, e.g. a GitLab `id_tokens` variable. @default name "HOOP_TOKEN" */
export function tokenFromEnvironment(name = 'HOOP_TOKEN'): TokenSource {
  return () => {
    const token = readEnvironment(name)?.trim();
    if (!token)
      throw new HoopTokenError(
        `The environment variable ${name} should hold the identity token, but is ${token === '' ? 'empty' : 'not set'}.`,
      );
    return token;
  };
}

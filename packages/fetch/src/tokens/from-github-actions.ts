import { readEnvironment } from '../environment.ts';
import { HoopTokenError } from '../hoop-token-error.ts';
import type { TokenSource } from './token-source.ts';

/**
 * A GitHub Actions OIDC token for the job. The job needs `permissions: id-token: write`; GitHub then sets
 * `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
 */
export function tokenFromGitHubActions(): TokenSource {
  return async ({ audience, fetch, signal }) => {
    const requestUrl = readEnvironment('ACTIONS_ID_TOKEN_REQUEST_URL');
    const requestToken = readEnvironment('ACTIONS_ID_TOKEN_REQUEST_TOKEN');
    if (!requestUrl || !requestToken) {
      throw new HoopTokenError('GitHub Actions gives no identity token: this job lacks `permissions: id-token: write`.');
    }
    try {
      const url = new URL(requestUrl);
      url.searchParams.set('audience', audience);
      const headers = { authorization: `Bearer ${requestToken}`, accept: 'application/json' };
      const response = await fetch(url, { headers, redirect: 'manual', signal });
      if (!response.ok) throw new Error(`it answered ${response.status}`);
      const token = ((await response.json()) as { value?: unknown } | null)?.value;
      if (typeof token !== 'string' || token === '') throw new Error('its answer has no value');
      return token;
    } catch (error) {
      throw new HoopTokenError(`GitHub's token endpoint gave no identity token: ${(error as Error).message}`, { cause: error });
    }
  };
}

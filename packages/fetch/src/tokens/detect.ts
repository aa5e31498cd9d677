import { readEnvironment } from '../environment.ts';
import { HoopTokenError } from '../hoop-token-error.ts';
import { tokenFromEnvironment } from './from-environment.ts';
import { readTokenFile, tokenFromFile } from './from-file.ts';
import { tokenFromGitHubActions } from './from-github-actions.ts';
import { kubernetesTokenPath } from './from-kubernetes.ts';
import type { TokenSource } from './token-source.ts';

/**
 * The first that there is of: `HOOP_TOKEN`, the file named by `HOOP_TOKEN_FILE`, GitHub Actions, a Kubernetes projected
 * token. One that is set but does not work is an error, never a reason to be somebody else.
 */
export function detectToken(): TokenSource {
  return async (request) => {
    if (readEnvironment('HOOP_TOKEN') !== undefined) return tokenFromEnvironment('HOOP_TOKEN')(request);
    const path = readEnvironment('HOOP_TOKEN_FILE');
    if (path !== undefined) return tokenFromFile(path)(request);
    if (readEnvironment('ACTIONS_ID_TOKEN_REQUEST_URL')) return tokenFromGitHubActions()(request);
    const projected = await readTokenFile(kubernetesTokenPath);
    if (projected !== undefined) return projected;
    const isOnGitHub = readEnvironment('GITHUB_ACTIONS') === 'true';
    const gitHub = isOnGitHub
      ? 'this job lacks `permissions: id-token: write`'
      : 'not running there (ACTIONS_ID_TOKEN_REQUEST_URL is not set)';
    throw new HoopTokenError(
      [
        'No identity token was found. Tried:',
        '- the `token` option: not given',
        '- HOOP_TOKEN: not set',
        '- HOOP_TOKEN_FILE: not set',
        `- GitHub Actions: ${gitHub}`,
        `- Kubernetes: no file ${kubernetesTokenPath}`,
        'Set one of them, or give createFetch a `token` function.',
      ].join('\n'),
    );
  };
}

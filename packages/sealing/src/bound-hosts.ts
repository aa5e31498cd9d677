/** The hosts that a sealed secret is bound to. Control plane and relay derive them from the settings by the same function. */
import { AppError } from '@hoop/contract';
import type { ConnectionSettings, CredentialSourceSettings } from '@hoop/contract';

const tokenMark = 'token ';

function originOf(url: string): string {
  try {
    const { origin } = new URL(url);
    if (origin !== 'null') return origin;
  } catch {
    // said below
  }
  throw new AppError('target_refused', `"${url}" is not an absolute http or https URL.`);
}

/**
 * Origins that the credential of a connection may be sent to, normalised: lower case, without the scheme's own port,
 * each once, sorted. An origin and not a host name alone, so that a change from https to http needs the secret anew.
 * `token <origin>` stands for the endpoints that get the client secret, of tokens and of their revocation: as neither may
 * take the target's place, an edit of `tokenUrl`, `revocationUrl` or `target` cannot redirect a sealed secret.
 */
export function boundHosts(
  connection: Pick<ConnectionSettings, 'target' | 'allowedHosts'>,
  credential: CredentialSourceSettings | null,
): string[] {
  const target = originOf(connection.target);
  const scheme = target.slice(0, target.indexOf(':'));
  const hosts = [target, ...connection.allowedHosts.map((host) => originOf(host.includes('://') ? host : `${scheme}://${host}`))];
  if (credential !== null && 'tokenUrl' in credential) {
    hosts.push(tokenMark + originOf(credential.tokenUrl));
    if (credential.revocationUrl !== undefined) hosts.push(tokenMark + originOf(credential.revocationUrl));
  }
  return normaliseHosts(hosts);
}

/** Lower case, default ports removed, each once, sorted. Entries are `host`, `host:port`, an origin, or `token <origin>`. */
export function normaliseHosts(hosts: readonly string[]): string[] {
  return [...new Set(hosts.map(normaliseHost))].toSorted();
}

function normaliseHost(entry: string): string {
  const trimmed = entry.trim();
  if (trimmed.startsWith(tokenMark)) return tokenMark + originOf(trimmed.slice(tokenMark.length));
  if (trimmed.includes('://')) return originOf(trimmed);
  return originOf(`https://${trimmed}`).slice('https://'.length);
}

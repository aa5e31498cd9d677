import { AppError, type ConnectionSettings } from '@hoop/contract';

export interface UsableConnection {
  readonly id: string;
  readonly name: string;
  readonly settings: ConnectionSettings;
}

/** Connections that one grant is good for at most. */
export const maxGrantConnections = 100;

export interface Narrowing {
  /** Names, separated by spaces. */
  readonly scope: string | undefined;
  /** URLs under a target, or names (RFC 8707). */
  readonly resource: readonly string[];
}

/**
 * What of the usable connections the grant is for: all, or those that `scope` and `resource` name.
 *
 * @throws AppError `connection_unknown` for one that this identity may not use, which looks like one that is not there
 */
export function chooseConnections(
  identity: { name: string },
  usable: readonly UsableConnection[],
  narrowing: Narrowing,
): UsableConnection[] {
  const names = narrowing.scope?.split(' ').filter((name) => name !== '') ?? [];
  const chosen = new Map<string, UsableConnection>();
  for (const wanted of [...names, ...narrowing.resource]) {
    const fitting = usable.filter(
      (connection) => connection.name === wanted || connection.id === wanted || isUnder(wanted, connection.settings.target),
    );
    if (fitting.length === 0) {
      throw new AppError(
        'connection_unknown',
        `There is no connection "${wanted.slice(0, 200)}" that the identity "${identity.name}" may use.`,
      );
    }
    for (const connection of fitting) chosen.set(connection.id, connection);
  }
  const result = names.length + narrowing.resource.length === 0 ? [...usable] : [...chosen.values()];
  if (result.length === 0) throw new AppError('connection_unknown', `The identity "${identity.name}" may use no connection.`);
  if (result.length > maxGrantConnections) {
    throw new AppError(
      'invalid_request',
      `The grant would be for ${result.length} connections, and ${maxGrantConnections} is the most. Name those that are needed in \`scope\`.`,
    );
  }
  return result;
}

function isUnder(wanted: string, target: string): boolean {
  if (!/^https?:\/\//i.test(wanted)) return false;
  const [url, base] = [URL.parse(wanted), URL.parse(target)];
  if (url === null || base === null || url.origin !== base.origin) return false;
  const prefix = base.pathname.replace(/\/+$/, '');
  return url.pathname === prefix || url.pathname.startsWith(`${prefix}/`);
}

import { AppError, type ConnectionSettings, type KnownConnections } from '@hoop/contract';

export interface UsableConnection {
  readonly id: string;
  readonly name: string;
  readonly settings: ConnectionSettings;
}

/** Connections that one grant is good for at most: their ids have to fit into a header. */
export const maxGrantConnections = 100;
/** The most connections listed for a client that has to choose among them. */
export const maxListedConnections = 1000;

export interface Narrowing {
  /** Names, separated by spaces. */
  readonly scope: string | undefined;
  /** URLs under a target or above some, such as an origin; or names (RFC 8707). */
  readonly resource: readonly string[];
}

/**
 * The connections that the grant is for: all that are usable, or those that `scope` and `resource` name.
 *
 * @throws AppError `connection_unknown` for one that this identity may not use, which looks like one that is not there;
 *   `too_many_connections`. Both list what can be named instead.
 */
export function chooseConnections(
  identity: { name: string },
  usable: readonly UsableConnection[],
  narrowing: Narrowing,
): UsableConnection[] {
  const names = narrowing.scope?.split(' ').filter((name) => name !== '') ?? [];
  const chosen = new Map<string, UsableConnection>();
  const extras = { hoop_known_connections: knownConnections(usable) };
  for (const wanted of [...names, ...narrowing.resource]) {
    const fitting = usable.filter((connection) => isMeant(wanted, connection));
    if (fitting.length === 0) {
      throw new AppError(
        'connection_unknown',
        `There is no connection "${wanted.slice(0, 200)}" that the identity "${identity.name}" may use.`,
        { extras },
      );
    }
    for (const connection of fitting) chosen.set(connection.id, connection);
  }
  const result = names.length + narrowing.resource.length === 0 ? [...usable] : [...chosen.values()];
  if (result.length === 0) throw new AppError('connection_unknown', `The identity "${identity.name}" may use no connection.`, { extras });
  if (result.length > maxGrantConnections) {
    throw new AppError(
      'too_many_connections',
      `The grant would be for ${result.length} connections, at most ${maxGrantConnections} are allowed. Name the ones you need in \`scope\`.`,
      { extras },
    );
  }
  return result;
}

export const knownConnections = (usable: readonly UsableConnection[]): KnownConnections => ({
  connections: usable.slice(0, maxListedConnections).map(({ name, settings }) => ({ name, target: settings.target })),
  isComplete: usable.length <= maxListedConnections,
});

const isMeant = (wanted: string, { id, name, settings }: UsableConnection): boolean =>
  name === wanted || id === wanted || isRelated(wanted, settings.target);

/** The URL is the target, lies under it, or the target lies under the URL: an origin means all targets at it. */
function isRelated(wanted: string, target: string): boolean {
  if (!/^https?:\/\//i.test(wanted)) return false;
  const [url, base] = [URL.parse(wanted), URL.parse(target)];
  if (url === null || base === null || url.origin !== base.origin) return false;
  const [path, prefix] = [segments(url), segments(base)];
  return path.startsWith(prefix) || prefix.startsWith(path);
}

/** With one slash at its end, so that only whole segments are compared. */
const segments = ({ pathname }: URL): string => `${pathname.replace(/\/+$/, '')}/`;

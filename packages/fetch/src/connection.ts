/** A connection as the token response lists it (`hoop_connections`), its target taken apart. */
export interface Connection {
  readonly name: string;
  readonly target: string;
  readonly origin: string;
  /** The target's path without its trailing slash; empty where the target is a whole origin. */
  readonly prefix: string;
}

/** Where a URL goes. `rest` is what follows the target's prefix: empty, or starts with a slash. */
export type Route =
  | { readonly kind: 'connection'; readonly name: string; readonly rest: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous'; readonly names: readonly string[] }
  /** There is no connection of the name that was asked for. */
  | { readonly kind: 'unknown'; readonly names: readonly string[] }
  /** The URL is not under the target of the connection that was asked for. */
  | { readonly kind: 'outside'; readonly target: string };

/** Throws a TypeError where the target is not an absolute URL. */
export function parseConnection(name: string, target: string): Connection {
  const url = new URL(target);
  return { name, target, origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') };
}

/** Same origin, and the target's path is the URL's path or a prefix of it that ends at a slash. */
function serves(connection: Connection, url: URL): boolean {
  const { prefix } = connection;
  return (
    connection.origin === url.origin &&
    url.pathname.startsWith(prefix) &&
    (url.pathname.length === prefix.length || url.pathname[prefix.length] === '/')
  );
}

/** The connection that serves a URL: the one named, else the one whose target is the longest prefix. Pure. */
export function findRoute(connections: readonly Connection[], url: URL, wanted?: string): Route {
  const routeTo = (connection: Connection): Route => ({
    kind: 'connection',
    name: connection.name,
    rest: url.pathname.slice(connection.prefix.length),
  });
  if (wanted !== undefined) {
    const named = connections.find((one) => one.name === wanted);
    if (named === undefined) return { kind: 'unknown', names: connections.map((one) => one.name) };
    return serves(named, url) ? routeTo(named) : { kind: 'outside', target: named.target };
  }
  let best: Connection[] = [];
  for (const one of connections) {
    if (!serves(one, url)) continue;
    const longest = best[0]?.prefix.length ?? -1;
    if (one.prefix.length > longest) best = [one];
    else if (one.prefix.length === longest) best.push(one);
  }
  if (best.length > 1) return { kind: 'ambiguous', names: best.map((one) => one.name) };
  return best[0] === undefined ? { kind: 'none' } : routeTo(best[0]);
}

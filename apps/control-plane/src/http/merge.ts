/**
 * A resource with the members of a PATCH body over it (RFC 7396): a member that is absent stays, and one that is null
 * goes, where the contract lets it be null.
 */
export function merge<R extends object, P extends { [K in keyof P]?: unknown }>(
  resource: R,
  patch: P,
): Omit<R, keyof P> & { [K in keyof P & keyof R]: R[K] | NonNullable<P[K]> } & { [K in Exclude<keyof P, keyof R>]: P[K] } {
  const merged = Object.entries({ ...resource, ...Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) });
  return Object.fromEntries(merged.filter(([, value]) => value !== null)) as never;
}

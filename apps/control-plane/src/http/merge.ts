/** A resource with the members of a PATCH body over it; a member that is absent stays. */
export function merge<R extends object, P extends { [K in keyof P]?: unknown }>(
  resource: R,
  patch: P,
): Omit<R, keyof P> & { [K in keyof P & keyof R]: R[K] | NonNullable<P[K]> } & { [K in Exclude<keyof P, keyof R>]: P[K] } {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  return { ...resource, ...Object.fromEntries(given) } as never;
}

import type { z } from 'zod';

import { validate } from './validate.ts';

/** A JSON merge patch applied to a value (RFC 7396 §2): objects merge at every depth, null takes a member away, all else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/**
 * A resource's members with a patch over them, held against the schema that made it: a member that went gets its default,
 * and rules between members hold for the outcome. Members that `schema` does not name are left out of `resource`.
 * @throws AppError `invalid_request`
 */
export function patched<S extends z.core.$ZodShape, T>(schema: z.ZodType<T> & { readonly shape: S }, resource: object, patch: unknown): T {
  const present = Object.fromEntries(Object.entries(resource).filter(([name, value]) => name in schema.shape && value !== null));
  return validate(schema, mergePatch(present, patch), 'body');
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

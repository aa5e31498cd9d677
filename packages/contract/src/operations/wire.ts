/** Shapes that more than one operation's wire form is made of. */
import { z } from 'zod';

import type { Role } from '../operation.ts';
import { idSchema, nameSchema, type IdNoun } from '../ids.ts';

/** Every role may read what is not content. */
export const everyRole = ['admin', 'operator', 'approver', 'auditor'] as const satisfies readonly Role[];
export const editors = ['admin', 'operator'] as const satisfies readonly Role[];
/** Who may see recorded bodies. */
export const investigators = ['admin', 'auditor'] as const satisfies readonly Role[];
export const overseers = ['admin', 'operator', 'auditor'] as const satisfies readonly Role[];

/** RFC 3339, UTC, milliseconds. */
export const timeSchema = z.iso.datetime().meta({ description: 'RFC 3339, UTC' });

/** Where a registered thing is meant, its id or its name will do; an id is tried first. */
export const referenceSchema = (noun: IdNoun) => z.union([idSchema(noun), nameSchema]);

export const namedSchema = (noun: IdNoun) => z.object({ id: idSchema(noun), name: z.string() });

const pageQuery = {
  /** Items at most. */
  limit: z.coerce.number().int().min(1).max(200).default(50),
  /** `next` of the page before; opaque. */
  cursor: z.string().min(1).max(512).optional(),
};

/** The query of a list: its filters and where to go on. */
export const listQuery = <F extends z.core.$ZodShape>(filters: F) => z.strictObject({ ...pageQuery, ...filters });

/** A page, newest first unless the operation says otherwise. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() });

/** An instant in a query: RFC 3339 with any offset. */
export const instantQuery = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const flagQuery = z.enum(['true', 'false']).transform((text) => text === 'true');

type Undefaulted<T> = T extends z.ZodDefault<infer I> ? I : T;
type PatchShape<S extends z.core.$ZodShape> = { [K in keyof S]: z.ZodOptional<Undefaulted<S[K]> & z.core.$ZodType> };

/**
 * The body of a PATCH: every member of `shape` optional and without its default, so that what is absent stays as it
 * is. A member that is there replaces the whole member.
 */
export function patchOf<S extends z.core.$ZodShape>(shape: S) {
  const patch: Record<string, z.ZodType> = {};
  for (const [name, schema] of Object.entries(shape)) {
    patch[name] = z.optional(schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : (schema as z.ZodType));
  }
  return z
    .strictObject(patch as unknown as PatchShape<S>)
    .refine((body) => Object.keys(body as object).length > 0, { message: 'must have at least one member' });
}

/** What every registered thing carries. `version` is its ETag: `If-Match: "3"`. */
export const registered = { version: z.int(), createdAt: timeSchema, updatedAt: timeSchema };

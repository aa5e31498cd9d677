/** Shapes that more than one operation's wire form is made of. */
import { z } from 'zod';

import { errorKinds } from '../errors.ts';
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

/** The code of an error, as a filter. */
export const errorCodeQuery = z
  .string()
  .max(100)
  .refine((code) => Object.hasOwn(errorKinds, code), 'is not the code of an error');

export const flagQuery = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Null takes a member away (RFC 7396 §2), so only one that has a default, or need not be there, may be null. */
type PatchMember<T> =
  T extends z.ZodDefault<infer I> ? PatchValue<I> | null : T extends z.ZodOptional<infer I> ? PatchValue<I> | null : PatchValue<T>;
type PatchValue<T> =
  T extends z.ZodObject<infer S>
    ? { [K in keyof S]?: PatchMember<S[K]> | undefined }
    : T extends z.ZodRecord
      ? Record<string, z.output<T>[string] | null>
      : z.output<T>;
export type PatchBody<S extends z.core.$ZodShape> = { [K in keyof S]?: PatchMember<S[K]> | undefined };

/**
 * The body of a PATCH, a merge patch (RFC 7396): at every depth a member that is absent stays as it is, one that is null
 * goes back to its default, and any other replaces the present one. Lists are replaced whole. The outcome of the merge is
 * held against the whole schema afterwards: rules between members belong there.
 */
export function patchOf<S extends z.core.$ZodShape>(shape: S): z.ZodType<PatchBody<S>> {
  return z
    .strictObject(patchShapeOf(shape))
    .refine((body) => Object.keys(body).length > 0, { message: 'must have at least one member' }) as unknown as z.ZodType<PatchBody<S>>;
}

function patchShapeOf(shape: z.core.$ZodShape): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, z.optional(patchMemberOf(schema as z.ZodType))]));
}

function patchMemberOf(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return patchValueOf(schema.unwrap() as z.ZodType).nullable();
  return patchValueOf(schema);
}

function patchValueOf(schema: z.ZodType): z.ZodType {
  const { description } = schema;
  const patched =
    schema instanceof z.ZodObject
      ? z.strictObject(patchShapeOf(schema.shape))
      : schema instanceof z.ZodRecord
        ? z.record(schema.keyType as z.ZodString, (schema.valueType as z.ZodType).nullable())
        : schema;
  return description === undefined || patched === schema ? patched : patched.describe(description);
}

/** The members of every registered resource. `version` is its ETag: `If-Match: "3"`. */
export const registered = { version: z.int(), createdAt: timeSchema, updatedAt: timeSchema };

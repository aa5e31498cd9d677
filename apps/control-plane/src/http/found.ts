import { AppError, idSchema, type IdNoun } from '@hoop/contract';

/** Throws `not_found` for null; the message does not reveal which other resources exist. */
export function found<T>(value: T | null, noun: string): T {
  if (value === null) throw new AppError('not_found', `There is no such ${noun}.`);
  return value;
}

/** The same for what a body refers to. */
export function referred<T>(value: T | null, noun: string, path: string, reference: string): T {
  if (value === null) {
    throw new AppError('not_found', `\`${path}\`: there is no ${noun} "${reference}".`, {
      extras: { errors: [{ path, message: `there is no ${noun} "${reference}"` }] },
    });
  }
  return value;
}

/**
 * The id that a filter means. An id may be on record although what it names was deleted; a name that nothing has would
 * give an empty list that looks like an answer.
 * @throws AppError `invalid_request` that names the filter
 */
export async function filterId<T extends { readonly id: string }>(
  noun: IdNoun,
  filter: string,
  reference: string | undefined,
  find: (reference: string) => Promise<T | null>,
): Promise<string | undefined> {
  if (reference === undefined) return undefined;
  const value = await find(reference);
  if (value !== null) return value.id;
  if (idSchema(noun).safeParse(reference).success) return reference;
  const words = noun.replaceAll('_', ' ');
  throw new AppError('invalid_request', `\`${filter}\`: there is no ${words} "${reference}". To find a deleted one, use its id.`, {
    extras: { errors: [{ path: filter, message: `there is no ${words} "${reference}"` }] },
  });
}

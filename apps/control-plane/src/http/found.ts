import { AppError } from '@hoop/contract';

/** What is not there, in words that say nothing of what else is. */
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

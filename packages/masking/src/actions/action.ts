import type { MaskAction } from '@hoop/contract';

/** Actions as numbers, by how much they hide: where several rules select one place, the largest wins. */
export const NONE = 0;
export const PARTIAL = 1;
export const HASH = 2;
export const REDACT = 3;
export const NULL = 4;
export const REMOVE = 5;
export type Action = number;

export const actionOf: Readonly<Record<MaskAction, Action>> = { partial: PARTIAL, hash: HASH, redact: REDACT, null: NULL, remove: REMOVE };

export const redacted = '[redacted]';

/** The text that `partial` puts in the place of hidden characters. */
export const hiddenByPartial = '****';
/** Characters that it keeps at the end, of texts of at least so many. */
export const keptByPartial = 4;
export const leastForPartial = 9;

/** `****1111`. Shorter texts than `leastForPartial` are hidden whole: four of their characters would be half the secret. */
export function partialText(text: string): string {
  const characters = Array.from(text.length > 64 ? text.slice(-16) : text);
  return characters.length < leastForPartial ? hiddenByPartial : `${hiddenByPartial}${characters.slice(-keptByPartial).join('')}`;
}

/** Keyed hash of a text: equal texts give equal results under one key. */
export type HashText = (text: string) => string;

/** Returns the replacement of a text under this action; null: JSON null or nothing. `REMOVE` gives the empty text. */
export function replaceText(action: Action, text: string, hash: HashText): string | null {
  switch (action) {
    case PARTIAL:
      return partialText(text);
    case HASH:
      return hash(text);
    case NULL:
      return null;
    case REMOVE:
      return '';
    default:
      return redacted;
  }
}

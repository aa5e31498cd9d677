import { AppError } from '@hoop/contract';

/** Cursors are opaque to callers: what the list goes on after, in base64url. */
export const toCursor = (last: string | number | null): string | null =>
  last === null ? null : Buffer.from(`1:${last}`).toString('base64url');

const refused = (): AppError =>
  new AppError('invalid_request', '`cursor` must be the `next` of an earlier page.', {
    extras: { errors: [{ path: 'cursor', message: 'must be the `next` of an earlier page' }] },
  });

export function fromCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  if (!/^1:[0-9a-z_]{1,100}$/.test(text) || toCursor(text.slice(2)) !== cursor) throw refused();
  return text.slice(2);
}

export function fromNumberCursor(cursor: string | undefined): number | undefined {
  const text = fromCursor(cursor);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw refused();
  return Number(text);
}

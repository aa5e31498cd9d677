/** How an entry says, in place of a sealed body, that it lies in the blob store. No base64 looks like it. */
const prefix = 'blob:';

/** @param key `<call id>.<side>.<SHA-256, hex>` */
export const blobReference = (key: string): string => prefix + key;

/**
 * Where the body of that call and side lies; null where it is in the entry itself. A reference to anything else is left to
 * be refused as the base64 that it is not: no entry can lay hands on another call's blob.
 */
export function storedBlob(sealed: string, callId: string, side: string): { blob: string; hash: string } | null {
  const own = `${prefix}${callId}.${side}.`;
  const hash = sealed.slice(own.length);
  return sealed.startsWith(own) && /^[0-9a-f]{64}$/.test(hash) ? { blob: sealed.slice(prefix.length), hash } : null;
}

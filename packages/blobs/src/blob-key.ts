import { createHash } from 'node:crypto';

/** The row that a blob belongs to. */
export interface BlobOwner {
  readonly callId: string;
  readonly side: 'request' | 'response';
}

const form = /^(call_[0-9a-hjkmnp-tv-z]{26})\.(request|response)\.([0-9a-f]{64})$/;

/**
 * `<call id>.<side>.<SHA-256 of the bytes, hex>`. Written again it is the same; another body of the same call is another
 * blob, so that no writer can change what a row speaks of. Keys sort as calls began.
 */
export function blobKey({ callId, side }: BlobOwner, bytes: Uint8Array): string {
  return checkedKey(`${callId}.${side}.${createHash('sha256').update(bytes).digest('hex')}`);
}

/** Null where it is none. */
export function parseBlobKey(key: string): (BlobOwner & { readonly sha256: string }) | null {
  const match = form.exec(key);
  return match === null ? null : { callId: match[1]!, side: match[2] as BlobOwner['side'], sha256: match[3]! };
}

/** Nothing that comes from outside becomes a path by mistake. @throws RangeError */
export function checkedKey(key: string): string {
  if (!form.test(key)) throw new RangeError('this is not the key of a blob');
  return key;
}

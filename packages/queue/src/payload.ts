/**
 * How a payload is stored in the queue: as plain JSON, for people who look into the queue; or packed, where it holds
 * what Postgres' jsonb refuses (NUL, lone surrogates), so that no text from outside can make a job impossible to add.
 */
import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';

import { parseJson } from '@hoop/contract';

/** Bytes that a packed payload may unpack to: a bound on what a hostile producer can make a consumer allocate. */
const unpackedMaxBytes = 512 * 1024 * 1024;
/** `\u0000` and escaped surrogates (JSON.stringify escapes only lone ones), which Postgres' jsonb refuses. */
const notForJsonb = /\\u(?:0000|d[89a-f])/;

export type StoredPayload = { readonly json: unknown } | { readonly zstd: string };

export function packPayload(payload: unknown): StoredPayload {
  const text = JSON.stringify(payload);
  if (text === undefined) throw new TypeError('A job payload must be JSON.');
  if (!notForJsonb.test(text)) return { json: payload };
  const packed = zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  return { zstd: packed.toString('base64') };
}

/** Throws where `stored` is not what `packPayload` made. */
export function unpackPayload(stored: unknown): unknown {
  if (typeof stored === 'object' && stored !== null) {
    if ('json' in stored) return stored.json;
    if ('zstd' in stored && typeof stored.zstd === 'string') {
      const bytes = zstdDecompressSync(Buffer.from(stored.zstd, 'base64'), { maxOutputLength: unpackedMaxBytes });
      return parseJson(bytes.toString('utf8'));
    }
  }
  throw new TypeError('The stored payload has an unknown form.');
}

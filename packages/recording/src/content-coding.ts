/** Undoes the content codings of a kept body (RFC 9110 §8.4), so that a reader sees what was meant and not how it travelled. */
import { promisify } from 'node:util';
import zlib from 'node:zlib';

import type { HeaderList } from '@hoop/contract';

export interface DecodedContent {
  readonly bytes: Uint8Array;
  /** The codings that were undone. */
  readonly undone: readonly string[];
  /** The coding that is still there: unknown, broken, or larger than the limit once it is undone. */
  readonly remaining: string | null;
}

/** The largest decoded size of a kept body, bytes. */
const maxDecodedBytes = 64 * 1024 * 1024;
const maxCodings = 4;

type Decode = (bytes: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;
// A body that was cut off still gives what came before the cut.
const flushed = { finishFlush: zlib.constants.Z_SYNC_FLUSH } as const;
const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const inflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflate);
const inflateRaw = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const unbrotli = promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);
const unzstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', (bytes, limit) => gunzip(bytes, { ...limit, ...flushed })],
  // RFC 9110 §8.4.1.2 means zlib's format; some senders leave its frame out.
  ['deflate', (bytes, limit) => inflate(bytes, { ...limit, ...flushed }).catch(() => inflateRaw(bytes, { ...limit, ...flushed }))],
  [
    'br',
    (bytes, { maxOutputLength }) =>
      unbrotli(bytes, {
        finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
        ...(maxOutputLength === undefined ? {} : { maxOutputLength }),
      }),
  ],
  [
    'zstd',
    (bytes, { maxOutputLength }) =>
      unzstd(bytes, { finishFlush: zlib.constants.ZSTD_e_flush, ...(maxOutputLength === undefined ? {} : { maxOutputLength }) }),
  ],
]);

/** @param headers of the message, lower-case names */
export async function decodeContent(
  bytes: Uint8Array,
  headers: HeaderList,
  options: { readonly maxBytes?: number } = {},
): Promise<DecodedContent> {
  const codings = headers
    .filter(([name]) => name === 'content-encoding')
    .flatMap(([, value]) => value.split(','))
    .map((coding) =>
      coding
        .trim()
        .toLowerCase()
        .replace(/^x-(?=gzip$)/, ''),
    )
    .filter((coding) => coding !== '' && coding !== 'identity');
  const undone: string[] = [];
  let decoded = bytes;
  if (bytes.byteLength === 0) return { bytes, undone, remaining: null };
  if (codings.length > maxCodings) return { bytes, undone, remaining: codings.join(', ') };
  for (const coding of codings.toReversed()) {
    try {
      decoded = await decoders.get(coding)!(decoded, { maxOutputLength: options.maxBytes ?? maxDecodedBytes });
    } catch {
      return { bytes: decoded, undone, remaining: coding };
    }
    undone.push(coding);
  }
  return { bytes: decoded, undone, remaining: null };
}

/** Content codings (RFC 9110 §8.4). The one file that uses node:zlib. */
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import type { Transform } from 'node:stream';

export const knownCodings: readonly string[] = ['gzip', 'deflate', 'br', 'zstd'];
/** Codings one inside the other. */
const maxLayers = 3;

/**
 * Values that servers send although nothing was coded: charsets, MIME's transfer encodings (RFC 2045 §6), the name of
 * S3's upload framing, which stores keep and do not send, and of AWS's old protocol. No client undoes any of them, so
 * that a function reads the bytes as the masker does.
 */
const notCodings: ReadonlySet<string> = new Set([
  '',
  'identity',
  'none',
  'null',
  'plain',
  'text',
  'utf-8',
  'utf8',
  'us-ascii',
  'ascii',
  'iso-8859-1',
  'latin1',
  'windows-1252',
  '7bit',
  '8bit',
  'binary',
  'aws-chunked',
  'amz-1.0',
]);

/** Codings in the order in which they were applied, without names that are none (RFC 9110 §8.4.1); null where one is not known or there are too many. */
export function parseCodings(values: readonly string[]): readonly string[] | null {
  const codings: string[] = [];
  for (const value of values) {
    for (const part of value.split(',')) {
      const name = part.trim().toLowerCase();
      if (notCodings.has(name)) continue;
      const known = name === 'x-gzip' ? 'gzip' : name;
      if (!knownCodings.includes(known)) return null;
      codings.push(known);
    }
  }
  return codings.length > maxLayers ? null : codings;
}

export interface DecoderLimits {
  /** Decoded bytes of one layer over its encoded bytes, once `ratioFloor` bytes were decoded. @default 400 */
  readonly maxRatio: number;
  /** @default 16 MiB */
  readonly ratioFloor: number;
  /** Decoded bytes. @default 16 GiB */
  readonly maxBytes: number;
}

export const decoderLimits: DecoderLimits = { maxRatio: 400, ratioFloor: 16_777_216, maxBytes: 17_179_869_184 };

export interface DecoderSink {
  /** False: stop until `resume()` is called. */
  data(chunk: Uint8Array): boolean;
  end(): void;
  error(reason: string): void;
  /** After `write` returned false: write again. */
  drain(): void;
}

export interface Decoder {
  /** False: wait for `drain`. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  resume(): void;
  abort(): void;
}

/** Undoes the codings, the last applied first. Memory stays bounded: a layer is not read while the next one is full. */
export function createDecoder(codings: readonly string[], sink: DecoderSink, limits: DecoderLimits = decoderLimits): Decoder {
  const [outer, ...inner] = codings.toReversed();
  if (inner.length === 0) return createLayer(outer!, sink, limits);
  const next = createDecoder(inner.toReversed(), { ...sink, drain: () => first.resume() }, limits);
  const first: Decoder = createLayer(
    outer!,
    { data: (chunk) => next.write(chunk), end: () => next.end(), error: sink.error, drain: sink.drain },
    limits,
  );
  return {
    write: (chunk) => first.write(chunk),
    end: () => first.end(),
    resume: () => next.resume(),
    abort() {
      first.abort();
      next.abort();
    },
  };
}

function createLayer(coding: string, sink: DecoderSink, limits: DecoderLimits): Decoder {
  let stream: Transform | null = null;
  let bytesIn = 0;
  let bytesOut = 0;
  let done = false;
  const fail = (reason: string): void => {
    if (done) return;
    done = true;
    stream?.destroy();
    sink.error(reason);
  };
  const open = (first: number): Transform => {
    const opened = openTransform(coding, first);
    opened.on('data', (chunk: Uint8Array) => {
      if (done) return;
      bytesOut += chunk.length;
      if (bytesOut > limits.maxBytes) return fail(`the body decodes to more than ${limits.maxBytes} bytes`);
      if (bytesOut > limits.ratioFloor && bytesOut > bytesIn * limits.maxRatio)
        return fail(`the body decodes to more than ${limits.maxRatio} times its size`);
      if (!sink.data(chunk) && !done) opened.pause();
    });
    opened.on('end', () => {
      if (done) return;
      done = true;
      sink.end();
    });
    opened.on('drain', () => {
      if (!done) sink.drain();
    });
    opened.on('error', () => fail(`the body is not valid ${coding}`));
    return opened;
  };
  return {
    write(chunk) {
      if (done || chunk.length === 0) return true;
      bytesIn += chunk.length;
      stream ??= open(chunk[0]!);
      return stream.write(chunk);
    },
    end() {
      if (done) return;
      if (stream === null) {
        // an empty body is no coded body, but it holds nothing either
        done = true;
        sink.end();
      } else stream.end();
    },
    resume() {
      stream?.resume();
    },
    abort() {
      done = true;
      stream?.destroy();
    },
  };
}

function openTransform(coding: string, firstByte: number): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    default:
      // "deflate" is zlib's format (RFC 9110 §8.4.1.2); some servers send it without zlib's frame
      return (firstByte & 0x0f) === 8 && firstByte >> 4 <= 7 ? createInflate() : createInflateRaw();
  }
}

/** A request's body, and whether it can be sent more than once. */
export interface Payload {
  readonly value: Exclude<RequestInit['body'], undefined>;
  readonly isReplayable: boolean;
}

/** Bytes of a Request's body that are held to learn whether that is all of it. */
const readAheadBytes = 1_048_576;
/** How long a Request's body may keep us waiting for that, milliseconds. */
const readAheadMs = 20;

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/**
 * A body that the caller may change after the call but `fetch` must not: `fetch` reads it at once, and we, who wait for a
 * grant first, copy it. What is no body of the standard's is a text, as its argument's type is (a URL, a number, a Date).
 * Undefined for streams. Files and blobs are immutable.
 */
export function copyBody(body: unknown): Payload['value'] | undefined {
  if (typeof body === 'string') return body;
  if (ArrayBuffer.isView(body)) return copyBytes(body.buffer, body.byteLength, body.byteOffset);
  switch (tagOf(body)) {
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return copyBytes(body as ArrayBuffer, (body as ArrayBuffer).byteLength);
    case 'Blob':
    case 'File':
      return body as Blob;
    case 'URLSearchParams':
      return new URLSearchParams(body as URLSearchParams);
    case 'FormData': {
      const copy = new FormData();
      for (const [name, value] of body as FormData) copy.append(name, value as string);
      return copy;
    }
    case 'ReadableStream':
      return undefined;
    default:
      // Node's fetch takes these for streams, its own streams among them.
      return Symbol.asyncIterator in Object(body) ? undefined : `${body as string}`;
  }
}

/** Memory that was given away is empty. */
const copyBytes = (buffer: ArrayBufferLike, length: number, offset = 0): Uint8Array<ArrayBuffer> =>
  length === 0 ? new Uint8Array(0) : new Uint8Array(buffer, offset, length).slice();

/** The body given as `init.body`, or the one that a Request brought (`request` was built from the same arguments). */
export async function readPayload(initBody: unknown, request: Request): Promise<Payload> {
  if (initBody === undefined || initBody === null)
    return request.body === null ? { value: null, isReplayable: true } : readAhead(request.body);
  const copy = copyBody(initBody);
  return copy === undefined ? { value: request.body, isReplayable: false } : { value: copy, isReplayable: true };
}

/**
 * A Request does not tell whether its body is a text or a stream. Where all of it is there at once, it is taken for a
 * text: sent with its length, and again for a redirect, as `fetch` does. Otherwise it is streamed, with what was read put back.
 */
async function readAhead(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Payload> {
  const reader = stream.getReader();
  const held: Uint8Array[] = [];
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, readAheadMs, undefined);
  });
  let pending: ReturnType<typeof reader.read> | undefined;
  try {
    for (;;) {
      pending = reader.read();
      const read = await Promise.race([pending, timeUp]);
      if (read === undefined || (held.length > 0 && !read.done && bytes + read.value.byteLength > readAheadBytes)) break;
      if (read.done) return { value: joinChunks(held, bytes), isReplayable: true };
      // Its producer may use the memory again once it was read.
      held.push(read.value.slice());
      bytes += read.value.byteLength;
    }
  } finally {
    clearTimeout(timer);
  }
  const whole = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = held.shift();
        if (chunk !== undefined) return controller.enqueue(chunk);
        const read = await (pending ?? reader.read());
        pending = undefined;
        if (read.done) controller.close();
        else controller.enqueue(read.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { value: whole, isReplayable: false };
}

function joinChunks(chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return joined;
}

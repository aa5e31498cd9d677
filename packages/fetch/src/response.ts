/** Bytes of a response that nobody wants, read to leave its connection usable and its record complete. */
const discardBytes = 65_536;

/** Members that the platform derives from the request that it sent; ours went to the relay. */
interface Origin {
  /** The target's URL. */
  readonly url: string;
  readonly isRedirected: boolean;
}

/**
 * The platform's own `Response` with the target's `url`, so that `instanceof`, `new Response(response.body, response)`
 * and every method work. A clone keeps it.
 */
export function presentResponse(response: Response, origin: Origin): Response {
  // Vercel's edge runtime fixes `url` on what its fetch returns. A response that was made anew has none of its own.
  const isFixed = Object.getOwnPropertyDescriptor(response, 'url')?.configurable === false;
  return Object.defineProperties(isFixed ? new Response(response.body, response) : response, {
    url: { value: origin.url, configurable: true },
    redirected: { value: origin.isRedirected, configurable: true },
    clone: {
      value: function clone(this: Response) {
        return presentResponse(Object.getPrototypeOf(this).clone.call(this) as Response, origin);
      },
      configurable: true,
      writable: true,
    },
  });
}

/** Reads a body to its end, or gives it up where it is long. Never rejects. */
export async function discardBody(response: Response | undefined): Promise<void> {
  const reader = response?.body?.getReader();
  if (reader === undefined) return;
  try {
    for (let bytes = 0; bytes <= discardBytes;) {
      const read = await reader.read();
      if (read.done) return;
      bytes += read.value.byteLength;
    }
    await reader.cancel();
  } catch {
    // It was not wanted.
  }
}

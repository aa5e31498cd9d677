import { AppError } from '@hoop/contract';
import type { SealedBody } from '@hoop/database';
import { openBody, openDataKey } from '@hoop/sealing';

import type { Context } from '../context.ts';

/** Opens recorded bodies, each data key once. @returns by `<call id>:<side>` @throws AppError `conflict` where one cannot be opened */
export async function openBodies(context: Context, bodies: readonly SealedBody[]): Promise<Map<string, Buffer>> {
  return openEach(context, bodies, ({ callId, side }, cause) => {
    throw new AppError(
      'conflict',
      `The ${side} body of the call ${callId} cannot be opened: its key is not among the recording keys, or it was changed.`,
      { cause },
    );
  });
}

/** Opens those that can be opened. */
export const openReadableBodies = (context: Context, bodies: readonly SealedBody[]): Promise<Map<string, Buffer>> =>
  openEach(context, bodies, () => undefined);

async function openEach(
  context: Context,
  bodies: readonly SealedBody[],
  onFailure: (body: SealedBody, cause: unknown) => void,
): Promise<Map<string, Buffer>> {
  const keys = new Map<string, ReturnType<typeof openDataKey>>();
  const opened = new Map<string, Buffer>();
  for (const body of bodies) {
    const { callId, side, sealed, wrappedKey } = body;
    try {
      let key = keys.get(wrappedKey);
      if (key === undefined) keys.set(wrappedKey, (key = openDataKey(context.keys.recording, wrappedKey)));
      const aad = `${callId}:${side}`;
      opened.set(aad, openBody(await key, Buffer.from(sealed).toString('base64'), aad));
    } catch (cause) {
      onFailure(body, cause);
    }
  }
  return opened;
}

/** Text as it is, anything else in base64. */
export function contentOf(bytes: Buffer): { encoding: 'utf8' | 'base64'; content: string } {
  try {
    return { encoding: 'utf8', content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { encoding: 'base64', content: bytes.toString('base64') };
  }
}

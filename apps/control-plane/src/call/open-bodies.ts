import { AppError } from '@hoop/contract';
import type { SealedBody } from '@hoop/database';
import { openBody, openDataKey } from '@hoop/sealing';

import type { Context } from '../context.ts';

/** Opens recorded bodies, each data key once. @returns by `<call id>:<side>` */
export async function openBodies(context: Context, bodies: readonly SealedBody[]): Promise<Map<string, Buffer>> {
  const keys = new Map<string, ReturnType<typeof openDataKey>>();
  const opened = new Map<string, Buffer>();
  for (const { callId, side, sealed, wrappedKey } of bodies) {
    try {
      let key = keys.get(wrappedKey);
      if (key === undefined) keys.set(wrappedKey, (key = openDataKey(context.keys.recording, wrappedKey)));
      const aad = `${callId}:${side}`;
      opened.set(aad, openBody(await key, Buffer.from(sealed).toString('base64'), aad));
    } catch (cause) {
      throw new AppError(
        'conflict',
        `The ${side} body of the call ${callId} cannot be opened: its key is not among the recording keys, or it was changed.`,
        { cause },
      );
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

/** A deferred request as it waits: sealed to the relays' own key, so that neither control plane nor worker can read it. */
import { createDataKey, openBody, openDataKey, sealBody, toPublicJwks } from '@hoop/sealing';
import type { JwkSet } from '@hoop/sealing';
import { z } from 'zod';

export const deferredRequestSchema = z.object({
  version: z.literal(1),
  caller: z.object({
    identityId: z.string(),
    issuer: z.string(),
    subject: z.string(),
    claims: z.record(z.string(), z.unknown()),
    /** As of the grant. Null or absent: `claims` is all claims of the token. */
    claimNames: z.array(z.string()).nullish(),
    grantId: z.string().nullable(),
    issuedAtSeconds: z.number(),
    connectionIds: z.array(z.string()).nullable(),
    sessionName: z.string(),
  }),
  method: z.string(),
  /** The relay's path and query, as the caller sent them. */
  target: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** Base64. */
  body: z.string(),
});
export type DeferredRequest = z.infer<typeof deferredRequestSchema>;

export const deferredResponseSchema = z.object({
  version: z.literal(1),
  status: z.int(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** Base64; masked. */
  body: z.string(),
});
export type DeferredResponse = z.infer<typeof deferredResponseSchema>;

export interface SealedForRelay {
  readonly wrappedKey: string;
  readonly sealed: string;
}

type Half = 'deferred-request' | 'deferred-response';

/** @param keys the relays' private keys; the first one's public half seals */
export async function sealForRelays(
  keys: JwkSet,
  callId: string,
  half: Half,
  value: DeferredRequest | DeferredResponse,
): Promise<SealedForRelay> {
  const { wrapped, key } = await createDataKey(toPublicJwks(keys).keys[0]!);
  return { wrappedKey: wrapped, sealed: sealBody(key, Buffer.from(JSON.stringify(value)), `${callId}:${half}`) };
}

/** Throws where it was sealed for another call, to other keys, or changed. */
export async function openForRelays(keys: JwkSet, callId: string, half: Half, blob: SealedForRelay): Promise<unknown> {
  const key = await openDataKey(keys, blob.wrappedKey);
  return JSON.parse(openBody(key, blob.sealed, `${callId}:${half}`).toString('utf8'));
}

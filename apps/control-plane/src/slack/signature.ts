/** Slack's request signature, version 0: HMAC-SHA256 over `v0:timestamp:body` with the app's signing secret. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Slack's own advice: what is older may be a replay. */
export const signatureWindowMs = 300_000;

export type SignatureVerdict = { readonly ok: true; readonly signature: string } | { readonly ok: false; readonly why: string };

export function verifySlackSignature(
  secret: string,
  headers: { readonly signature: string | undefined; readonly timestamp: string | undefined },
  body: Uint8Array,
  now: number,
): SignatureVerdict {
  const { signature, timestamp } = headers;
  if (signature === undefined || timestamp === undefined) return { ok: false, why: 'The request carries no Slack signature.' };
  if (!/^[0-9]{1,12}$/.test(timestamp)) return { ok: false, why: 'The timestamp of the signature is not a number.' };
  if (Math.abs(now - Number(timestamp) * 1000) > signatureWindowMs) return { ok: false, why: 'The signature is older than five minutes.' };
  const expected = Buffer.from(`v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`);
  const given = Buffer.from(signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { ok: false, why: 'The signature does not match.' };
  return { ok: true, signature };
}

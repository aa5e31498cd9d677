/**
 * Identifiers: a prefix that names the noun, `_`, and 26 characters of Crockford base32
 * (48 bits of milliseconds, 80 bits of randomness: the ULID layout), so that ids sort by creation time.
 */
import { z } from 'zod';

export const idPrefixes = {
  admin_token: 'tok',
  approval: 'apr',
  audit_event: 'aud',
  call: 'call',
  connection: 'con',
  credential_source: 'crs',
  event_sink: 'snk',
  grant: 'grt',
  identity: 'idn',
  identity_provider: 'idp',
  journal: 'jrn',
  lease: 'lse',
  legal_hold: 'hld',
  mask_suggestion: 'mks',
  notification_channel: 'nch',
  notification_delivery: 'ndl',
  policy: 'pol',
  relay: 'rly',
  request: 'req',
  security_event: 'sev',
  session: 'ses',
} as const;

export type IdNoun = keyof typeof idPrefixes;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const pool = new Uint8Array(4096);
let used = pool.length;

/** A new id, e.g. `con_01jd8m3v9k2t5x7y0a1b2c3d4e`. `now` in milliseconds; randomness from the platform's CSPRNG. */
export function newId(noun: IdNoun, now: number = Date.now()): string {
  if (used + 16 > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  if (now !== lastNow) {
    lastTime = timeCharacters(now);
    lastNow = now;
  }
  let random = '';
  for (let i = 0; i < 16; i++) random += alphabet[pool[used++]! & 31]!;
  return `${idPrefixes[noun]}_${lastTime}${random}`;
}

/** Many ids are made within one millisecond. */
let lastNow = -1;
let lastTime = '';

function timeCharacters(now: number): string {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++) {
    time = alphabet[rest % 32]! + time;
    rest = Math.floor(rest / 32);
  }
  return time;
}

/** The wire schema of an id of this noun. */
export const idSchema = (noun: IdNoun): z.ZodString =>
  z
    .string()
    .regex(new RegExp(`^${idPrefixes[noun]}_[0-9a-hjkmnp-tv-z]{26}$`), `must be an id like ${idPrefixes[noun]}_01jd8m3v9k2t5x7y0a1b2c3d4e`);

/** Names of things people register: lower case, digits, `-` and `_`; they appear in relay URLs. */
export const nameSchema: z.ZodString = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/, 'must be lower-case letters, digits, "-" or "_", and start and end with a letter or digit');

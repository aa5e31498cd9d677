import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

import type { HashText } from './action.ts';

const encoder = new TextEncoder();
const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** HMAC-SHA-256 under `key`, the first 128 bits in hex, with a prefix that says what it is: `hash:9f86d081884c7d65…`. */
export function createHashText(key: Uint8Array): HashText {
  const keyed = hmac.create(sha256, key);
  return (text) => {
    const digest = keyed.clone().update(encoder.encode(text)).digest();
    let shown = 'hash:';
    for (let i = 0; i < 16; i++) shown += hex[digest[i]!];
    return shown;
  };
}

import { latin1Text, utf8Bytes, utf8Text } from '../../bytes.ts';

/** The text of a JSON string whose raw bytes, quotes included, are `bytes[from, to)` and valid. */
export function decodeJsonString(bytes: Uint8Array, from: number, to: number, isPlainAscii: boolean): string {
  if (isPlainAscii) return latin1Text(bytes, from + 1, to - 1);
  const raw = utf8Text(bytes, from, to);
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

/** A JSON string with its quotes; `null` for null. */
export const encodeJsonString = (text: string | null): Uint8Array => utf8Bytes(JSON.stringify(text));

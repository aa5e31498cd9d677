export interface KeyEntry {
  readonly name: string;
  readonly folded: string;
  /** Keys with equal symbols are selected by the same selectors. */
  readonly symbol: number;
  /** Hints that the name gives about the value, bits of `key-context.ts`. */
  readonly context: number;
  /** The name as it may be shown, where the name itself is sensitive. */
  readonly masked: string | null;
  readonly hash: number;
  /** As met in the document, without quotes, escapes as they were. */
  readonly raw: Uint8Array;
  /**
   * `raw` and the closing quote: its length, and its first 16 bytes as little-endian words with masks for bytes that
   * it does not have. Numbers in fields compare several times faster than bytes in an array of their own.
   */
  readonly length: number;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  readonly mask0: number;
  readonly mask1: number;
  readonly mask2: number;
  readonly mask3: number;
  /** The key that came after this one the last time: objects of one kind repeat their keys in order. */
  follower: KeyEntry | null;
}

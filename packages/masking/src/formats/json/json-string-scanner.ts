/** Finds the end of a JSON string, over any number of chunks; checks escapes and UTF-8 on the way (RFC 8259 §7, RFC 3629). */
import { allClasses, byteClasses, byteCounts, manyOfAll, OTHER, SLASH, SPACE, SPECIAL } from '../../text/byte-classes.ts';

/** The classes of characters that a two-character escape may encode: a quote, a backslash, a slash, white space. */
export const escaped: number = OTHER | SLASH | SPACE;

export const isSimpleEscape: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
const isHex = Uint8Array.from({ length: 256 }, (_, byte) => (/[0-9A-Fa-f]/.test(String.fromCharCode(byte)) ? 1 : 0));

export class JsonStringScanner {
  /** Byte classes of what was scanned; everything, where there were escapes. */
  classes = 0;
  /** As `byteCounts`, of strings that are countable; many of all, where there were escapes that may be anything. */
  counts = 0;
  #isUncounted = false;
  /** There were escapes or non-ASCII bytes. */
  hasSpecial = false;
  /** Why a scan failed. */
  reason = '';
  /** 0: none; 1: a backslash was read; 2–5: 1 + hexadecimal digits that are missing. */
  #escape = 0;
  /** Continuation bytes that are missing, and the range of the next. */
  #missing = 0;
  #low = 0x80;
  #high = 0xbf;

  begin(): void {
    this.classes = 0;
    this.counts = 0;
    this.#isUncounted = false;
    this.hasSpecial = false;
    this.#escape = 0;
    this.#missing = 0;
  }

  get isBetweenCharacters(): boolean {
    return this.#escape === 0 && this.#missing === 0;
  }

  /** The index of the closing quote; `n` where it has not come; `-1 - index` of a byte that is not allowed. */
  scan(bytes: Uint8Array, from: number, n: number): number {
    let i = from;
    let classes = this.classes;
    let counts = this.counts;
    if (this.#escape !== 0 || this.#missing !== 0) {
      i = this.#finishCharacter(bytes, i, n);
      if (i < 0) return i;
    }
    for (;;) {
      let byte = 0;
      let kind = 0;
      while (i < n && (kind = byteClasses[(byte = bytes[i]!)]!) < SPECIAL) {
        classes |= kind;
        counts += byteCounts[byte]!;
        i++;
      }
      if (i >= n) break;
      if (byte === 0x22) break;
      this.hasSpecial = true;
      if (byte === 0x5c) {
        classes |= escaped;
        if (i + 1 < n && isSimpleEscape[bytes[i + 1]!] === 1) {
          i += 2;
          continue;
        }
        classes = allClasses;
        this.#isUncounted = true;
        this.#escape = 1;
      } else if (byte >= 0x80) {
        classes |= kind & allClasses;
        if (!this.#lead(byte)) return this.#refuse(i, 'the text is not valid UTF-8');
      } else return this.#refuse(i, 'a control character stands in a string');
      i = this.#finishCharacter(bytes, i + 1, n);
      if (i < 0) return i;
    }
    this.classes = classes;
    // where the sum is not right, it is not used
    this.counts = this.#isUncounted ? manyOfAll : counts;
    return i;
  }

  #refuse(at: number, reason: string): number {
    this.reason = reason;
    return -1 - at;
  }

  #lead(byte: number): boolean {
    this.#low = 0x80;
    this.#high = 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf) this.#missing = 1;
    else if (byte >= 0xe0 && byte <= 0xef) {
      this.#missing = 2;
      if (byte === 0xe0) this.#low = 0xa0;
      else if (byte === 0xed) this.#high = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      this.#missing = 3;
      if (byte === 0xf0) this.#low = 0x90;
      else if (byte === 0xf4) this.#high = 0x8f;
    } else return false;
    return true;
  }

  #finishCharacter(bytes: Uint8Array, from: number, n: number): number {
    let i = from;
    while (i < n && this.#missing > 0) {
      const byte = bytes[i]!;
      if (byte < this.#low || byte > this.#high) return this.#refuse(i, 'the text is not valid UTF-8');
      this.#low = 0x80;
      this.#high = 0xbf;
      this.#missing--;
      i++;
    }
    while (i < n && this.#escape > 0) {
      const byte = bytes[i]!;
      if (this.#escape === 1) {
        if (byte === 0x75) this.#escape = 5;
        else if (isSimpleEscape[byte] === 1) this.#escape = 0;
        else return this.#refuse(i, 'the escape is not one of JSON');
      } else {
        if (isHex[byte] === 0) return this.#refuse(i, 'the escape is not one of JSON');
        this.#escape = this.#escape === 2 ? 0 : this.#escape - 1;
      }
      i++;
    }
    return i;
  }
}

/**
 * Reads the notations of one character: percent-encoding (RFC 3986), JSON and JavaScript escapes, HTML and XML
 * references, quoted-printable (RFC 2045). A reading is begun at each character that opens a notation, and goes on
 * beside the bytes as they stand, byte by byte, until it has told its character or cannot be one.
 */
import { names } from './notations.ts';

const PERCENT = 0x25;
const EQUALS = 0x3d;
export const BACKSLASH = 0x5c;
const AMPERSAND = 0x26;

/** The states of a reading: the input that it waits for. */
const HEX_BYTE = 0;
const HEX_CODE = 1;
const AFTER_EQUALS = 2;
const AFTER_CR = 3;
const AFTER_BACKSLASH = 4;
const AFTER_U = 5;
const HEX_UNIT = 6;
const HEX_BRACED = 7;
const AFTER_AMPERSAND = 8;
const AFTER_HASH = 9;
const DECIMAL = 10;
const HEX_REFERENCE = 11;
const NAME = 12;
const LOW_BACKSLASH = 13;
const LOW_U = 14;
const LOW_UNIT = 15;

/** Backslashes that layers of escaping may have made of one. */
const maxBackslashes = 4;
/** Digits of a numeric reference, zeros before it included. */
const maxDigits = 13;
const maxBracedDigits = 6;

/** The outcomes of a byte for a reading. */
export const DEAD = 0;
export const READING = 1;
/** `char` is read, and the reading is over. */
export const READ = 2;
/** `char` is read, and more may be: `&#65` is a character, and so is `&#656`. */
export const READ_MORE = 3;
/** `=` and a line break, which stand for nothing, are read. */
export const SOFT_BREAK = 4;

export const isOpening = (char: number): boolean => char === PERCENT || char === EQUALS || char === BACKSLASH || char === AMPERSAND;

const hexValues = new Uint8Array(256).fill(16);
for (let value = 0; value < 16; value++)
  for (const digit of [value.toString(16), value.toString(16).toUpperCase()]) hexValues[digit.charCodeAt(0)] = value;

/** The value of a hexadecimal digit; 256, of which no character consists, for any other byte. */
const digits = Uint16Array.from(hexValues, (value) => (value > 15 ? 256 : value));

/** 1 for visible ASCII that opens no notation itself, by two of `digits`. */
const isWhole = new Uint8Array(17 * 272);
for (let char = 0x21; char < 0x7f; char++) if (!isOpening(char)) isWhole[char] = 1;

/** By the byte after a backslash. */
const letters = new Uint8Array(256);
for (const [letter, char] of [...'bfnrt"\'\\/'].map(
  (one, i) => [one.charCodeAt(0), [8, 12, 10, 13, 9, 0x22, 0x27, 0x5c, 0x2f][i]!] as const,
))
  letters[letter] = char;

/** The names of references as a trie: 32 columns a node, letters by their low five bits; negative: the character. */
const nameTable: number[] = Array.from({ length: 32 }, () => 0);
const nameChars: number[] = [0];
for (const [char, spellings] of names) {
  for (const name of spellings) {
    let at = 0;
    for (const letter of name) {
      const column = at * 32 + (letter.charCodeAt(0) & 31);
      if (nameTable[column] === 0) {
        nameTable[column] = nameTable.length / 32;
        for (let i = 0; i < 32; i++) nameTable.push(0);
        nameChars.push(0);
      }
      at = nameTable[column]!;
    }
    nameChars[at] = char;
  }
}

export class Reading {
  /** The character that was read: a code point, or a byte of UTF-8 where `isByte`. */
  char = 0;
  isByte = false;
  /** The state before the notation. */
  state = 0;
  /** Where the notation begins. */
  start = 0;
  /** Bytes of line breaks before it. */
  gap = 0;
  /** 1, and 2 where its opening was in a notation itself. */
  level = 1;
  #waitsFor = 0;
  #value = 0;
  #count = 0;

  begin(opening: number, level: number, state: number, start: number, gap: number): void {
    this.level = level;
    this.state = state;
    this.start = start;
    this.gap = gap;
    this.#value = 0;
    this.#count = 0;
    this.isByte = opening === PERCENT || opening === EQUALS;
    this.#waitsFor =
      opening === PERCENT ? HEX_BYTE : opening === EQUALS ? AFTER_EQUALS : opening === BACKSLASH ? AFTER_BACKSLASH : AFTER_AMPERSAND;
    if (opening === BACKSLASH) this.#count = 1;
  }

  /** Whether every notation that the other can read on, this one can, from the same state. */
  covers(other: Reading): boolean {
    return (
      this.#waitsFor === other.#waitsFor &&
      this.state === other.state &&
      this.#value === other.#value &&
      this.isByte === other.isByte &&
      this.level <= other.level &&
      (this.#waitsFor === AFTER_BACKSLASH ? this.#count <= other.#count : this.#count === other.#count)
    );
  }

  copy(other: Reading): void {
    this.char = other.char;
    this.isByte = other.isByte;
    this.state = other.state;
    this.start = other.start;
    this.gap = other.gap;
    this.level = other.level;
    this.#waitsFor = other.#waitsFor;
    this.#value = other.#value;
    this.#count = other.#count;
  }

  /** Takes the next byte of the notation. */
  take(byte: number): number {
    const value = hexValues[byte]!;
    switch (this.#waitsFor) {
      case HEX_BYTE:
      case HEX_CODE:
        if (value > 15) return DEAD;
        return this.#digit(value, 2);
      case AFTER_EQUALS:
        if (byte === 0x0a) return SOFT_BREAK;
        if (byte === 0x0d) return this.#wait(AFTER_CR);
        if (value > 15) return DEAD;
        this.#waitsFor = HEX_BYTE;
        return this.#digit(value, 2);
      case AFTER_CR:
        return byte === 0x0a ? SOFT_BREAK : DEAD;
      case AFTER_BACKSLASH:
        return this.#afterBackslash(byte);
      case AFTER_U:
        if (byte === 0x7b) return this.#wait(HEX_BRACED);
        if (value > 15) return DEAD;
        this.#waitsFor = HEX_UNIT;
        return this.#unit(value);
      case HEX_UNIT:
        return value > 15 ? DEAD : this.#unit(value);
      case HEX_BRACED:
        if (byte === 0x7d) return this.#count > 0 ? this.#tell(READ) : DEAD;
        if (value > 15 || this.#count === maxBracedDigits) return DEAD;
        return this.#more(value, 16);
      case AFTER_AMPERSAND:
        if (byte === 0x23) return this.#wait(AFTER_HASH);
        return this.#name(byte);
      case AFTER_HASH:
        if ((byte | 0x20) === 0x78) return this.#wait(HEX_REFERENCE);
        if (value > 9) return DEAD;
        this.#waitsFor = DECIMAL;
        this.#more(value, 10);
        return this.#tell(READ_MORE);
      case DECIMAL:
      case HEX_REFERENCE: {
        if (byte === 0x3b) return this.#count > 0 ? this.#tell(READ) : DEAD;
        const base = this.#waitsFor === DECIMAL ? 10 : 16;
        if (value >= base || this.#count === maxDigits) return DEAD;
        this.#more(value, base);
        return this.#tell(READ_MORE);
      }
      case NAME:
        return this.#name(byte);
      case LOW_BACKSLASH:
        return byte === BACKSLASH ? this.#wait(LOW_U) : DEAD;
      case LOW_U:
        if (byte === BACKSLASH) return ++this.#count <= maxBackslashes ? READING : DEAD;
        if ((byte | 0x20) !== 0x75) return DEAD;
        this.#count = 0;
        return this.#wait(LOW_UNIT);
      default:
        return value > 15 ? DEAD : this.#lowUnit(value);
    }
  }

  #wait(next: number): number {
    this.#waitsFor = next;
    return READING;
  }

  #tell(result: number): number {
    this.char = this.#value;
    return result;
  }

  #more(value: number, base: number): number {
    // far above all code points it stays above them
    this.#value = Math.min(this.#value * base + value, 0x1_000_000);
    this.#count++;
    return READING;
  }

  #digit(value: number, width: number): number {
    this.#value = this.#value * 16 + value;
    return ++this.#count === width ? this.#tell(READ) : READING;
  }

  #afterBackslash(byte: number): number {
    if (byte === BACKSLASH) {
      this.char = BACKSLASH;
      return ++this.#count <= maxBackslashes ? READ_MORE : READ;
    }
    const low = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (low === 0x75 || low === 0x78) {
      this.#count = 0;
      return this.#wait(low === 0x75 ? AFTER_U : HEX_CODE);
    }
    this.char = letters[low]!;
    return this.char === 0 ? DEAD : READ;
  }

  #unit(value: number): number {
    this.#value = this.#value * 16 + value;
    if (++this.#count < 4) return READING;
    const isHigh = this.#value >= 0xd800 && this.#value < 0xdc00;
    if (!isHigh) return this.#tell(READ);
    this.#count = 1;
    return this.#wait(LOW_BACKSLASH);
  }

  /** The low surrogate, above which the high one stands in `value`. */
  #lowUnit(value: number): number {
    this.#value = this.#value * 16 + value;
    if (++this.#count < 4) return READING;
    const low = this.#value % 0x10000;
    if (low < 0xdc00 || low > 0xdfff) return DEAD;
    const high = (this.#value - low) / 0x10000;
    this.char = 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
    return READ;
  }

  #name(byte: number): number {
    if (byte === 0x3b) {
      this.char = nameChars[this.#value]!;
      return this.char === 0 ? DEAD : READ;
    }
    const low = byte | 0x20;
    if (low < 0x61 || low > 0x7a) return DEAD;
    this.#value = nameTable[this.#value * 32 + (low & 31)]!;
    this.#waitsFor = NAME;
    return this.#value === 0 ? DEAD : READING;
  }
}

/**
 * The notation of a visible ASCII character that stands whole at an offset, and is the most usual of its kind: the
 * character plus 256 times the length of the notation. 0: none does, and only readings can tell.
 */
export function wholeNotation(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case PERCENT:
    case EQUALS:
      return hexPair(bytes, at + 1, 3);
    case BACKSLASH: {
      const kind = bytes[at + 1];
      if (kind === 0x78) return hexPair(bytes, at + 2, 4);
      return kind === 0x75 && bytes[at + 2] === 0x30 && bytes[at + 3] === 0x30 ? hexPair(bytes, at + 4, 6) : 0;
    }
    default:
      return bytes[at + 1] === 0x23 ? wholeReference(bytes, at) : 0;
  }
}

function hexPair(bytes: Uint8Array, at: number, length: number): number {
  if (at + 1 >= bytes.length) return 0;
  const char = (digits[bytes[at]!]! << 4) + digits[bytes[at + 1]!]!;
  return isWhole[char]! === 0 ? 0 : char | (length << 8);
}

/** `&#97;` and `&#x61;`, of two or three digits. */
function wholeReference(bytes: Uint8Array, start: number): number {
  let at = start + 2;
  const isHex = bytes[at] === 0x78;
  if (isHex) at++;
  const base = isHex ? 16 : 10;
  const last = Math.min(bytes.length - 1, at + 3);
  for (let char = 0; at <= last; at++) {
    const byte = bytes[at]!;
    if (byte === 0x3b) return visible(char, at + 1 - start);
    const value = hexValues[byte]!;
    if (value >= base) return 0;
    char = char * base + value;
  }
  return 0;
}

const visible = (char: number, length: number): number => (char < 0x7f && isWhole[char]! !== 0 ? char | (length << 8) : 0);

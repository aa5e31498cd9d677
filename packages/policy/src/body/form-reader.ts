/**
 * `application/x-www-form-urlencoded` in slices. Every value of a name is kept, in order. A percent sign without two
 * hexadecimal digits, or bytes that are not UTF-8, are read differently by different parsers, so they are refused.
 */
import { maxNameLength } from './member-names.ts';

export type FormFault = 'malformed' | 'ambiguous' | 'too_complex';

/** Ten times what PHP (1000) and Express (1000) read by default. */
export const maxFormFields = 10_000;
const decodedAtOnce = 32_768;

export class FormReader {
  readonly value: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  fault: FormFault | null = null;
  readonly #text: string;
  #fieldStart = 0;
  #fields = 0;
  /** Up to here the field is decoded. */
  #at = 0;
  #name: string | null = null;
  #parts: string[] = [];

  constructor(text: string) {
    this.#text = text;
    // Servers that decode JSON without a look at the content type would see an object here.
    if (/^[\s\ufeff]*[[{]/.test(text)) this.fault = 'ambiguous';
  }

  /** Reads on for about `characters`. True: it is over, and `value` or `fault` is set. */
  advance(characters: number): boolean {
    const limit = this.#at + characters;
    while (this.fault === null && this.#at < limit) {
      if (this.#at === this.#text.length) {
        this.#endField();
        return true;
      }
      this.#readPart();
    }
    return this.fault !== null;
  }

  /** Up to the next `&` or the first `=`, but not further than is decoded at once. */
  #readPart(): void {
    const text = this.#text;
    let end = this.#at;
    const most = Math.min(text.length, end + decodedAtOnce);
    if (end === this.#fieldStart) {
      while (end < most && text.charCodeAt(end) === 0x26) end++;
      this.#at = this.#fieldStart = end;
      if (end === most) return;
    }
    for (; end < most; end++) {
      const code = text.charCodeAt(end);
      if (code === 0x26 || (code === 0x3d && this.#name === null)) break;
    }
    const isSplit = end === most && most < text.length;
    if (isSplit) end = boundaryBefore(text, end);
    const part = text.slice(this.#at, end).replaceAll('+', ' ');
    try {
      this.#parts.push(part.includes('%') ? decodeURIComponent(part) : part);
    } catch {
      this.fault = 'malformed';
      return;
    }
    this.#at = end;
    if (isSplit || end === text.length) return;
    this.#at++;
    if (text.charCodeAt(end) === 0x3d) {
      this.#name = this.#parts.join('');
      this.#parts = [];
    } else this.#endField();
  }

  #endField(): void {
    const isEmpty = this.#fieldStart === this.#at || (this.#name === null && this.#parts.join('') === '');
    if (!isEmpty) {
      const last = this.#parts.join('');
      const [name, value] = this.#name === null ? [last, ''] : [this.#name, last];
      if (++this.#fields > maxFormFields || name.length > maxNameLength) this.fault = 'too_complex';
      else if (!name.isWellFormed()) this.fault = 'ambiguous';
      else (this.value[name] ??= []).push(value);
    }
    this.#fieldStart = this.#at;
    this.#name = null;
    this.#parts = [];
  }
}

/** A place a little before `end` that splits no escape and no character of more than one byte or unit. */
function boundaryBefore(text: string, end: number): number {
  for (let at = end; at > end - 16; at--) {
    const code = text.charCodeAt(at);
    const isWithinEscape = text.charCodeAt(at - 1) === 0x25 || text.charCodeAt(at - 2) === 0x25;
    const isContinued = (code === 0x25 && /[89AB]/i.test(text[at + 1] ?? '')) || (code >= 0xdc00 && code <= 0xdfff);
    if (!isWithinEscape && !isContinued) return at;
  }
  return end;
}

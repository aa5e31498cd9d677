/**
 * Character sets: by declaration and by look. What declaration and look disagree about is refused; what is not known
 * is refused before it begins.
 */
import { Malformed } from '../formats/machine.ts';

/** Labels that are read, and the decoder that reads them (WHATWG Encoding). */
const decoders: ReadonlyMap<string, string> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['unicode-1-1-utf-8', 'utf-8'],
  ['us-ascii', 'windows-1252'],
  ['ascii', 'windows-1252'],
  ['iso-8859-1', 'windows-1252'],
  ['iso8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['l1', 'windows-1252'],
  ['iso_8859-1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
  ['cp1252', 'windows-1252'],
  ['iso-8859-15', 'iso-8859-15'],
  ['latin-9', 'iso-8859-15'],
  ['iso-8859-2', 'iso-8859-2'],
  ['windows-1250', 'windows-1250'],
  ['windows-1251', 'windows-1251'],
  ['iso-8859-5', 'iso-8859-5'],
  ['iso-8859-7', 'iso-8859-7'],
  ['iso-8859-9', 'windows-1254'],
  ['utf-16', 'utf-16'],
  ['utf-16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
  ['ucs-2', 'utf-16'],
  ['iso-10646-ucs-2', 'utf-16'],
  ['unicode', 'utf-16'],
]);

/** The decoder of a declared charset; undefined where it is not one that is read. */
export const decoderOf = (label: string): string | undefined => decoders.get(label.trim().toLowerCase());

/** Longest start of a body that may say its encoding. */
const prologueLength = 1024;

export type Prologue = 'none' | 'xml' | 'html';

/** Turns the bytes of a body into text, in any chunks. Throws `Malformed`. */
export class CharsetDecoder {
  readonly #declared: string | null;
  readonly #prologue: Prologue;
  /** Without a declaration: the first bytes that are not ASCII tell UTF-8 from Latin-1. */
  readonly #mayBeLatin1: boolean;
  #held: Uint8Array = new Uint8Array(0);
  #decoder: TextDecoder | null = null;
  #read = 0;
  #isAsciiSoFar = false;

  /** `declared`: a decoder's name, null where nothing is declared. */
  constructor(declared: string | null, prologue: Prologue, mayBeLatin1: boolean) {
    this.#declared = declared;
    this.#prologue = prologue;
    this.#mayBeLatin1 = mayBeLatin1;
  }

  push(chunk: Uint8Array): string {
    this.#read += chunk.length;
    let bytes = chunk;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + chunk.length);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.length);
      this.#held = new Uint8Array(0);
    }
    if (this.#decoder === null) {
      if (!this.#isEnough(bytes)) {
        this.#held = bytes.slice();
        return '';
      }
      bytes = this.#open(bytes);
    }
    return this.#decode(bytes, false);
  }

  end(): string {
    let bytes = this.#held;
    this.#held = new Uint8Array(0);
    if (this.#decoder === null) {
      if (bytes.length === 0) return '';
      bytes = this.#open(bytes);
    }
    return this.#decode(bytes, true);
  }

  #isEnough(bytes: Uint8Array): boolean {
    if (bytes.length < 4) return false;
    if (this.#prologue === 'none' || bytes.length >= prologueLength) return true;
    const start = latin1(bytes);
    if (this.#prologue === 'xml') return !/^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<\0?\?/.test(start) || start.includes('>');
    return this.#declared !== null || /<body|<\/head|charset/i.test(start);
  }

  /** Decides on the decoder; gives what is left after a byte order mark. */
  #open(bytes: Uint8Array): Uint8Array {
    const [look, markLength] = lookOf(bytes);
    let declared = this.#declared;
    if (this.#prologue !== 'none') {
      const start = latin1(bytes.subarray(0, prologueLength)).replaceAll('\0', '');
      const found = (
        this.#prologue === 'xml'
          ? /<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)["']/
          : /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)/i
      ).exec(start);
      if (found !== null) {
        const inner = decoderOf(found[1]!);
        if (inner === undefined) throw new Malformed(0, `the document says that it is in ${found[1]!}, which is not read`);
        if (this.#prologue === 'xml' || declared === null) {
          // a document that says UTF-16 in one byte a character is wrong about itself (HTML: ignore, XML: refuse)
          if (declared !== null && family(declared) !== family(inner))
            throw new Malformed(0, 'the charset in the header and the one in the document differ');
          if (look !== null && family(look) !== family(inner))
            throw new Malformed(0, 'the encoding that the document names is not the one that it is in');
          if (look === null && family(inner) === 'utf-16')
            throw new Malformed(0, 'the encoding that the document names is not the one that it is in');
          declared ??= inner;
        }
      }
    }
    if (look !== null && declared !== null && family(look) !== family(declared))
      throw new Malformed(0, 'the declared charset is not the one that the body is in');
    if (look !== null && declared !== null && declared !== 'utf-16' && look !== declared)
      throw new Malformed(0, 'the byte order mark contradicts the declared charset');
    if (declared === 'utf-16' && look === null) throw new Malformed(0, 'the body is declared as UTF-16 and does not show its byte order');
    const chosen = look ?? declared ?? 'utf-8';
    this.#isAsciiSoFar = look === null && declared === null && this.#mayBeLatin1;
    this.#decoder = new TextDecoder(chosen, { fatal: true, ignoreBOM: true });
    return bytes.subarray(markLength);
  }

  #decode(bytes: Uint8Array, last: boolean): string {
    if (this.#isAsciiSoFar) {
      let i = 0;
      while (i < bytes.length && bytes[i]! < 0x80) i++;
      if (i < bytes.length) {
        if (!last && bytes.length - i < 4) {
          this.#held = bytes.slice(i);
          return latin1(bytes.subarray(0, i));
        }
        this.#isAsciiSoFar = false;
        if (!startsWithUtf8(bytes, i)) this.#decoder = new TextDecoder('windows-1252', { fatal: true });
      }
    }
    try {
      return this.#decoder!.decode(bytes, { stream: !last });
    } catch {
      throw new Malformed(this.#read, `the text is not valid ${this.#decoder!.encoding}`);
    }
  }
}

const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text;
};

const family = (decoder: string): string => (decoder.startsWith('utf-16') ? 'utf-16' : decoder);

/** The encoding that the first bytes show, and the length of a byte order mark. */
function lookOf(bytes: Uint8Array): [string | null, number] {
  const [a = 1, b = 1, c = 1, d = 1] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return ['utf-8', 3];
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0))
    throw new Malformed(0, 'the body is in UTF-32, which is not read');
  if (a === 0xff && b === 0xfe) return ['utf-16le', 2];
  if (a === 0xfe && b === 0xff) return ['utf-16be', 2];
  if (bytes.length >= 2 && a === 0) return ['utf-16be', 0];
  if (bytes.length >= 2 && b === 0) return ['utf-16le', 0];
  return [null, 0];
}

/** Whether the bytes at `i` are one UTF-8 character of more than one byte. */
function startsWithUtf8(bytes: Uint8Array, i: number): boolean {
  const lead = bytes[i]!;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(i, i + length));
    return true;
  } catch {
    return false;
  }
}

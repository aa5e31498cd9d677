/** multipart/* (RFC 2046 §5.1, RFC 7578): each part by its own content type; a part that cannot be masked cuts the body. */
import { latin1Text, utf8Bytes } from '../bytes.ts';
import type { Engine } from '../engine.ts';
import type { Output } from '../output.ts';
import { parseMediaType } from '@hoop/contract';
import type { MediaType } from '@hoop/contract';
import { Malformed } from './machine.ts';
import type { Machine, Tally } from './machine.ts';
import { maskRunningText } from './plain-text.ts';

export interface MultipartInput {
  readonly engine: Engine;
  readonly out: Output;
  readonly tally: Tally;
  readonly boundary: string;
  /** The machine of a part: null where its bytes may pass; throws `Malformed` where they may not. `name`: its field. */
  readonly machineOf: (type: MediaType, name: string | null) => Machine | null;
}

const PREAMBLE = 0;
const HEADERS = 1;
const BODY = 2;
const EPILOGUE = 3;

const maxHeaders = 16_384;
const passedEncodings = new Set(['7bit', '8bit', 'binary']);

export class Multipart implements Machine {
  readonly #input: MultipartInput;
  readonly #delimiter: Buffer;
  #pending: Buffer = Buffer.from('\r\n');
  #phase = PREAMBLE;
  #part: Machine | null = null;
  #read = 0;
  #isStart = true;

  constructor(input: MultipartInput) {
    this.#input = input;
    this.#delimiter = Buffer.from(`\r\n--${input.boundary}`, 'latin1');
  }

  write(chunk: Uint8Array): void {
    this.#read += chunk.length;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#advance());
  }

  end(): void {
    if (this.#phase !== EPILOGUE) throw new Malformed(this.#read, 'the last boundary is missing');
  }

  /** False: more bytes are needed. */
  #advance(): boolean {
    const pending = this.#pending;
    if (this.#phase === EPILOGUE) {
      // what follows the last boundary means nothing, so it is not passed on
      this.#pending = Buffer.alloc(0);
      return false;
    }
    if (this.#phase === HEADERS) return this.#headers(pending);
    const at = pending.indexOf(this.#delimiter);
    if (at < 0) {
      const safe = pending.length - this.#delimiter.length - 1;
      if (safe <= 0) return false;
      this.#body(pending.subarray(0, safe));
      this.#pending = pending.subarray(safe);
      return false;
    }
    // the delimiter's line must be whole: "--" or white space and CRLF follow it
    const after = at + this.#delimiter.length;
    const lineEnd = pending.indexOf('\r\n', after);
    const line = pending.subarray(after, lineEnd < 0 ? pending.length : lineEnd).toString('latin1');
    const isLast = line.startsWith('--');
    if (lineEnd < 0 && !isLast) {
      if (line.length > 100) throw new Malformed(this.#read, 'a boundary is not followed by a line end');
      return false;
    }
    if (!isLast && /[^ \t]/.test(line)) throw new Malformed(this.#read, 'a boundary is followed by something else');
    this.#body(pending.subarray(0, at));
    this.#endPart();
    this.#put(
      this.#isStart
        ? `--${this.#input.boundary}${isLast ? '--\r\n' : '\r\n'}`
        : `\r\n--${this.#input.boundary}${isLast ? '--\r\n' : '\r\n'}`,
    );
    this.#isStart = false;
    this.#phase = isLast ? EPILOGUE : HEADERS;
    this.#pending = pending.subarray(isLast ? pending.length : lineEnd + 2);
    return true;
  }

  #headers(pending: Buffer): boolean {
    const isEmpty = pending.length >= 2 && pending[0] === 0x0d && pending[1] === 0x0a;
    const end = isEmpty ? 0 : pending.indexOf('\r\n\r\n');
    if (end < 0) {
      if (pending.length > maxHeaders) throw new Malformed(this.#read, 'the headers of a part are too long');
      return false;
    }
    const lines = isEmpty
      ? []
      : pending
          .subarray(0, end)
          .toString('utf8')
          .replaceAll(/\r\n[ \t]+/g, ' ')
          .split('\r\n');
    this.#pending = pending.subarray(end + (isEmpty ? 2 : 4));
    this.#phase = BODY;
    this.#startPart(lines);
    return true;
  }

  #startPart(lines: readonly string[]): void {
    const { engine, tally } = this.#input;
    let type: MediaType | null = null;
    let name: string | null = null;
    let types = 0;
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon <= 0) throw new Malformed(this.#read, 'a header of a part is not well-formed');
      const header = line.slice(0, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      if (header === 'content-type') {
        types++;
        type = parseMediaType(value);
        if (type === null) throw new Malformed(this.#read, 'the content type of a part is not valid');
      } else if (header === 'content-disposition') {
        const found = /[;\s]name\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(value);
        name = found === null ? null : (found[1] ?? found[2]!).replaceAll(/\\(.)/g, '$1').replaceAll('%22', '"');
      } else if (header === 'content-transfer-encoding' && !passedEncodings.has(value.toLowerCase())) {
        throw new Malformed(this.#read, `a part has the transfer encoding ${JSON.stringify(value)}`);
      } else if (header === 'content-encoding') throw new Malformed(this.#read, 'a part has a content coding');
      if (header === 'content-length' || header === 'content-md5' || header === 'digest') continue;
      this.#put(`${line.slice(0, colon)}: ${header === 'content-type' ? value : maskRunningText(engine, tally, value)}\r\n`);
    }
    if (types > 1) throw new Malformed(this.#read, 'a part has two content types');
    this.#put('\r\n');
    this.#part = this.#input.machineOf(type ?? { essence: 'text/plain', parameters: new Map() }, name);
  }

  #body(bytes: Buffer): void {
    if (this.#phase !== BODY || bytes.length === 0) return;
    const copy = new Uint8Array(bytes);
    if (this.#part === null) this.#input.out.put(copy);
    else this.#part.write(copy);
    this.#hasBody = true;
  }

  #hasBody = false;

  #endPart(): void {
    if (this.#phase === BODY && this.#hasBody) this.#part?.end();
    this.#part = null;
    this.#hasBody = false;
  }

  #put(text: string): void {
    this.#input.out.put(utf8Bytes(text));
  }
}

/** RFC 2046 §5.1.1. */
export const isBoundary = (boundary: string | undefined): boundary is string =>
  boundary !== undefined &&
  /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary) &&
  latin1Text(utf8Bytes(boundary), 0, boundary.length) === boundary;

import type { IncomingMessage } from 'node:http';

import { AppError, parseJson } from '@hoop/contract';

/** Bytes of a request body at most: room for the largest policy (4 MiB of text), and no more. */
export const maxBodyBytes = 5_242_880;
/** Of an operation that strangers may call: a token, or what Slack tells of a press, is some kilobytes. */
export const maxPublicBodyBytes = 131_072;
/**
 * Values, names and containers of a body: the cost of parsing and checking follows from their number, not from the bytes,
 * and nobody else is served meanwhile.
 */
export const maxValues = 100_000;
const maxParameters = 200;
/** Levels of nesting that are followed; anything deeper is an attack on a recursive reader. */
const maxNesting = 64;

/** Reads a body of the operation's type, whole. Only after the caller is authenticated, where the operation is not public. */
export async function readBody(request: IncomingMessage, bodyType: string, maxBytes: number = maxBodyBytes): Promise<unknown> {
  checkType(request, bodyType);
  const bytes = await collect(request, maxBytes);
  rawBodies.set(request, bytes);
  const text = decode(bytes);
  return bodyType === 'application/x-www-form-urlencoded' ? parseForm(text) : parseBody(text);
}

const rawBodies = new WeakMap<IncomingMessage, Buffer>();

/** The bytes that were read, for signatures over them. */
export const rawBodyOf = (request: IncomingMessage): Buffer => rawBodies.get(request) ?? Buffer.alloc(0);

export const hasBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

function checkType(request: IncomingMessage, bodyType: string): void {
  const given = request.headers['content-type'];
  const [type = '', ...parameters] = (given ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type !== bodyType) {
    throw new AppError(
      'unsupported_media_type',
      `The body must be sent as ${bodyType}${given === undefined ? '; no content-type was given' : ''}.`,
    );
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new AppError('unsupported_media_type', 'The body must be encoded as UTF-8.');
  }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new AppError('unsupported_media_type', 'The body must not be compressed.');
  }
}

const tooLarge = (maxBytes: number): AppError =>
  new AppError('payload_too_large', `The body is larger than ${maxBytes} bytes.`, { headers: { connection: 'close' } });

async function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', (cause) => reject(new AppError('request_incomplete', 'The body ended early.', { cause })));
    request.once('close', () => reject(new AppError('request_incomplete', 'The body ended early.')));
  });
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('malformed_json', 'The body is not UTF-8.');
  }
}

function parseBody(text: string): unknown {
  if (text.trim() === '') throw new AppError('malformed_json', 'The body is empty; JSON is needed.');
  checkShape(text);
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw new AppError('malformed_json', 'The body is not valid JSON.');
  }
  if (text.includes('\\u')) checkTexts(parsed, '');
  return parsed;
}

/** Postgres keeps neither U+0000 nor half a surrogate pair, and nobody means them. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

function checkTexts(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (isStorable(value)) return;
    const message = 'must not have U+0000 or half a surrogate pair in it';
    throw new AppError('invalid_request', `\`${path}\` in the body: ${message}.`, { extras: { errors: [{ path, message }] } });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (!isStorable(name)) throw new AppError('invalid_request', 'The name of a field has U+0000 or half a surrogate pair in it.');
    const step = Array.isArray(value) ? `[${name}]` : path === '' ? name : `.${name}`;
    checkTexts(member, `${path}${step}`.slice(0, 200));
  }
}

/** Before it is parsed: depth, and the number of values, by the signs between them. */
function checkShape(text: string): void {
  let depth = 0;
  let values = 0;
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) isString = false;
    } else if (code === 0x22) isString = true;
    else if (code === 0x2c || code === 0x3a) values++;
    else if (code === 0x7b || code === 0x5b) {
      values++;
      if (++depth > maxNesting) throw new AppError('invalid_request', `The body is nested deeper than ${maxNesting} levels.`);
    } else if (code === 0x7d || code === 0x5d) depth--;
    if (values > maxValues) throw new AppError('invalid_request', `The body has more than ${maxValues} values and names.`);
  }
}

/** A name that comes twice becomes a list; schemas refuse it where one value is meant (RFC 6749 §3.2). */
function parseForm(text: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  if (countOf(text, '&') >= maxParameters) throw new AppError('invalid_request', `The form has more than ${maxParameters} parameters.`);
  const parameters = new URLSearchParams(text);
  for (const [name, value] of parameters) {
    if (!isStorable(name) || !isStorable(value)) throw new AppError('invalid_request', 'The form has U+0000 in it.');
    const earlier = form[name];
    form[name] = earlier === undefined ? value : [...(Array.isArray(earlier) ? earlier : [earlier]), value];
  }
  return { ...form };
}

function countOf(text: string, sign: string): number {
  let count = 0;
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) count++;
  return count;
}

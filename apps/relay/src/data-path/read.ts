/** Step 1: the head is read once, in one way, or refused; every later step sees only what came of it. */
import { AppError, headers, parseJson } from '@hoop/contract';
import { headerValue, readRequest } from '@hoop/upstream';

import type { Call } from '../call/call.ts';

const maxContextBytes = 4096;
const contextKey = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const maxContextEntries = 50;

/** @throws AppError `ambiguous_request`, `invalid_path`, `header_too_large`, `method_not_allowed`, `invalid_context` */
export function read(call: Call): void {
  const { method = '', url = '', rawHeaders, httpVersion } = call.req;
  const request = readRequest({ method, url, rawHeaders, httpVersion });
  call.request = request;
  const context = headerValue(request.headers, headers.context);
  if (context !== undefined) call.context = readContext(context);
}

function readContext(text: string): Readonly<Record<string, string>> {
  let value: unknown;
  if (text.length <= maxContextBytes && /^[\x20-\x7e]*$/.test(text)) {
    try {
      value = parseJson(text);
    } catch {
      // said below
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`The ${headers.context} header must be a JSON object of strings, in ASCII, of at most ${maxContextBytes} bytes.`);
  }
  const entries = Object.entries(value);
  if (entries.length > maxContextEntries) throw invalid(`The ${headers.context} header has more than ${maxContextEntries} members.`);
  for (const [key, one] of entries) {
    if (!contextKey.test(key))
      throw invalid(`"${key.slice(0, 64)}" cannot be the name of a context value: letters, digits, ".", "_" and "-", and a letter first.`);
    if (typeof one !== 'string') throw invalid(`The context value "${key}" is not a string.`);
  }
  return value as Record<string, string>;
}

const invalid = (detail: string): AppError => new AppError('invalid_context', detail);

/**
 * A body as conditions see it. A body that two servers could read differently is not shown at all: a condition must not
 * see one amount and the target another. Only numbers wait until a condition reads them (see written-number.ts).
 */
import { parseMediaType } from '@hoop/contract';

import type { BodyState, Facts } from '../facts.ts';
import { FormReader } from './form-reader.ts';
import { JsonReader } from './json-reader.ts';

export interface InspectedBody {
  /** Of JSON the value, objects without a prototype; of a form a map of lists of strings; null unless `parsed`. */
  readonly body: unknown;
  readonly bodyState: BodyState;
  readonly bodyFormat?: 'json' | 'form';
}

export interface BodyInspection {
  /** Reads on for about so many characters. True: it is over. */
  advance(characters: number): boolean;
  /** Valid once `advance` said true. */
  result(): InspectedBody;
}

const json = /^(?:application\/json|[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+\+json)$/;
const utf8Charset = /^utf-?8$/i;

const over = (bodyState: BodyState): BodyInspection => ({ advance: () => true, result: () => ({ body: null, bodyState }) });

/**
 * Begins to read a body, to be read on in slices.
 * @param bytes the whole body
 * @param contentType the header's value; JSON (`application/json`, `…+json`) and `application/x-www-form-urlencoded` are
 *   read, in UTF-8; everything else is `unsupported`
 */
export function inspectBody(bytes: Uint8Array, contentType: string | undefined): BodyInspection {
  if (bytes.length === 0) return over('absent');
  const type = parseMediaType(contentType ?? '');
  const isForm = type?.essence === 'application/x-www-form-urlencoded';
  if (type === null || (!isForm && !json.test(type.essence))) return over('unsupported');
  if (!utf8Charset.test(type.parameters.get('charset') ?? 'utf-8')) return over('unsupported');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return over('malformed');
  }
  const reader = isForm ? new FormReader(text) : new JsonReader(text);
  return {
    advance: (characters) => reader.advance(characters),
    result: () =>
      reader.fault === null
        ? { body: reader.value, bodyState: 'parsed', bodyFormat: isForm ? 'form' : 'json' }
        : { body: null, bodyState: reader.fault },
  };
}

/** The whole at once. */
export function readInspectedBody(bytes: Uint8Array, contentType: string | undefined): InspectedBody {
  const inspection = inspectBody(bytes, contentType);
  while (!inspection.advance(Number.MAX_SAFE_INTEGER));
  return inspection.result();
}

/**
 * Headers as conditions see them. A name that came on several lines keeps its list, and a condition that reads such a
 * header is in error, because the target may take any of the lines.
 * @param list names in lower case, in wire order
 */
export function headerFacts(list: readonly (readonly [string, string])[]): Facts['request']['headers'] {
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of list) {
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    else if (typeof earlier === 'string') headers[name] = [earlier, value];
    else earlier.push(value);
  }
  return headers;
}

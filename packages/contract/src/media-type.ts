import { LRUCache } from 'lru-cache';
import { MIMEType } from 'whatwg-mimetype';

export interface MediaType {
  /** `type/subtype`, lower case. */
  readonly essence: string;
  /** Lower-case names; values unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Servers say the same few, with every response. */
const known = new LRUCache<string, { readonly type: MediaType | null }>({ max: 512 });
const maxKnownLength = 512;

/**
 * A `Content-Type` (RFC 9110 §8.3.1) as WHATWG's MIME Sniffing reads it, where no other reader could take it for another
 * type: null where it is not one media type, names a parameter twice with different values, or names a charset or a
 * boundary in a way that only some read.
 */
export function parseMediaType(value: string): MediaType | null {
  const found = known.get(value);
  if (found !== undefined) return found.type;
  const type = parse(value);
  if (value.length <= maxKnownLength) known.set(value, { type });
  return type;
}

const quotedString = /"(?:[^"\\]|\\.)*"/gs;
const ofTheBody = new Set(['charset', 'boundary']);

function parse(value: string): MediaType | null {
  // the strings stand aside, so that what separates is what separates
  const strings: string[] = [];
  const [essence = '', ...segments] = value.replaceAll(quotedString, (one) => `"${strings.push(one) - 1}"`).split(';');
  if (essence.includes(',') || segments.some((segment) => segment.includes(','))) return null;
  const parsed = MIMEType.parse(value);
  if (parsed === null) return null;
  const parameters = new Map(parsed.parameters);
  const said = new Map<string, string>();
  for (const segment of segments) {
    const equals = segment.indexOf('=');
    const name = (equals < 0 ? segment : segment.slice(0, equals)).trim().toLowerCase();
    const text =
      equals < 0
        ? ''
        : segment
            .slice(equals + 1)
            .trim()
            .toLowerCase()
            .replaceAll(/"(\d+)"/g, (_, i: string) => strings[Number(i)]!);
    if ((said.get(name) ?? text) !== text) return null;
    said.set(name, text);
    if (ofTheBody.has(name) && !parameters.has(name)) return null;
  }
  return { essence: parsed.essence, parameters };
}

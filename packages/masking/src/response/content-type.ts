/** Content-Type (RFC 9110 §8.3.1) and which format's machine understands it. */

export interface MediaType {
  /** `type/subtype`, lower case. */
  readonly essence: string;
  /** Lower-case names; values unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const quoted = /"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t -~\x80-\xff])*"/y;
const parsed = new Map<string, MediaType | null>();

/** Null where the value is not one media type, or names a parameter twice with different values. */
export function parseMediaType(value: string): MediaType | null {
  let type = parsed.get(value);
  if (type === undefined) {
    type = parse(value);
    if (parsed.size > 256) parsed.clear();
    parsed.set(value, type);
  }
  return type;
}

function parse(value: string): MediaType | null {
  const semicolon = value.indexOf(';');
  const essence = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/.test(essence)) return null;
  const parameters = new Map<string, string>();
  let at = semicolon < 0 ? value.length : semicolon;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(value);
    if (found === null) return null;
    at += found[0].length;
    return found[0];
  };
  while (at < value.length) {
    const char = value[at]!;
    if (char === ';' || char === ' ' || char === '\t') {
      at++;
      continue;
    }
    const name = match(token)?.toLowerCase();
    if (name === undefined || value[at] !== '=') return null;
    at++;
    const raw = value[at] === '"' ? match(quoted)?.slice(1, -1).replace(/\\(.)/gs, '$1') : match(token);
    if (raw === undefined || raw === null) return null;
    const before = parameters.get(name);
    if (before !== undefined && before.toLowerCase() !== raw.toLowerCase()) return null;
    parameters.set(name, raw);
  }
  return { essence, parameters };
}

export type Format = 'json' | 'json-lines' | 'event-stream' | 'form' | 'xml' | 'csv' | 'html' | 'text' | 'multipart';

const byEssence: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['text/x-json', 'json'],
  ['application/x-json', 'json'],
  ['application/x-ndjson', 'json-lines'],
  ['application/ndjson', 'json-lines'],
  ['application/x-ldjson', 'json-lines'],
  ['application/jsonl', 'json-lines'],
  ['application/x-jsonl', 'json-lines'],
  ['application/jsonlines', 'json-lines'],
  ['application/x-jsonlines', 'json-lines'],
  ['application/json-lines', 'json-lines'],
  ['application/json-seq', 'json-lines'],
  ['application/stream+json', 'json-lines'],
  ['application/x-json-stream', 'json-lines'],
  ['text/event-stream', 'event-stream'],
  ['application/x-www-form-urlencoded', 'form'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['text/csv', 'csv'],
  ['application/csv', 'csv'],
  ['text/tab-separated-values', 'csv'],
  ['text/html', 'html'],
  ['application/xhtml+xml', 'html'],
  ['text/plain', 'text'],
  ['text/markdown', 'text'],
]);

/** The format of a media type; undefined where there is no machine for it. */
export function formatOf(essence: string): Format | undefined {
  const known = byEssence.get(essence);
  if (known !== undefined) return known;
  if (essence.endsWith('+json')) return 'json';
  if (essence.endsWith('+json-seq')) return 'json-lines';
  if (essence.endsWith('+xml')) return 'xml';
  if (essence.startsWith('multipart/') && essence !== 'multipart/byteranges') return 'multipart';
  return undefined;
}

/** Whether a connection's list names this type; `*` stands for anything within a part. */
export function isListed(essence: string, list: readonly string[]): boolean {
  return list.some(
    (entry) =>
      entry === essence ||
      (entry.includes('*') && new RegExp(`^${entry.replace(/[.+]/g, '\\$&').replaceAll('*', '[^/]*')}$`).test(essence)),
  );
}

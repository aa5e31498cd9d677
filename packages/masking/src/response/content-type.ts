/** Which format's machine understands a content type. */
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

/**
 * JSON text that Postgres accepts for any value that comes from outside. Postgres' text cannot hold NUL, and its JSON
 * refuses lone surrogates (which JSON.stringify escapes): both become U+FFFD.
 */
export function jsonForPostgres(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\u') || !refused.test(text)) return text;
  // Every escape is matched, so that the second half of `\\` is never taken for the beginning of another.
  return text.replace(anyEscape, (escape) => (refused.test(escape) ? '\\ufffd' : escape));
}

const refused = /\\u(?:0000|d[89a-f])/;
const anyEscape = /\\(?:u[0-9a-f]{4}|[^u])/g;

/** Text that Postgres accepts, with the same replacements; lone surrogates become U+FFFD on their way. */
export const textForPostgres = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text);

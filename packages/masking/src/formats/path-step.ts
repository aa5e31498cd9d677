/**
 * A member's step in the JSONPath of a suggestion. Names that are ids, dates or values themselves stand for all of their
 * kind: `[*]`.
 */
export const pathStep = (name: string): string => {
  if (name.length > 40 || /[0-9]{3,}|@|\[redacted\]|^[0-9a-f]{8}-/i.test(name)) return '[*]';
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
};

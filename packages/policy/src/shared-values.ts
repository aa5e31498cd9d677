/**
 * Thousands of connections have like policies. What is compiled from the same text is made once and shared, so that
 * deciding for many connections reads little more memory than deciding for a few. Nothing shared can change.
 */
export interface SharedValues<T> {
  get(text: string, make: () => T): T;
}

/**
 * @param maxCharacters of all texts together. What is beyond is all forgotten: values in use stay in use, and are made
 *   anew where they are needed anew, so that nobody can grow the memory by saving ever new policies.
 */
export function sharedValues<T>(maxCharacters: number): SharedValues<T> {
  const kept = new Map<string, T>();
  let characters = 0;
  return {
    get(text, make) {
      let value = kept.get(text);
      if (value !== undefined) return value;
      value = make();
      // an entry has a cost beside its text
      characters += text.length + 100;
      if (characters > maxCharacters) {
        kept.clear();
        characters = text.length + 100;
      }
      kept.set(text, value);
      return value;
    },
  };
}

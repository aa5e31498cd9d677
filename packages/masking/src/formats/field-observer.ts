/** Sees the values of JSON, forms, CSV, XML and parts of multiparts that no path or key rule covers. */
export interface FieldObserver {
  /** `context` tells of the key (see `key-context.ts`); `path` gives the JSONPath, with `[*]` for every element. */
  see(text: string, context: number, path: () => string): void;
}

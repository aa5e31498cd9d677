/** Every fetch that we made, so that one that was put in place of `globalThis.fetch` is not asked to carry its own requests. */
const ours = /* @__PURE__ */ new WeakSet<typeof globalThis.fetch>();
const atImport = /* @__PURE__ */ (() => globalThis.fetch)();

export function markAsOurs(fetch: typeof globalThis.fetch): void {
  ours.add(fetch);
}

/** `globalThis.fetch` as it is now (instrumentation may have replaced it); the one at import where it is now one of ours. */
export function platformFetch(): typeof globalThis.fetch {
  return ours.has(globalThis.fetch) ? atImport : globalThis.fetch;
}

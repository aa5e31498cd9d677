/** Who waits in this process for an approval or a deferred call, and is woken when the control plane tells of a change. */
export class Subjects {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Calls `wake` at every change of this id until the function that it returns is called. */
  watch(id: string, wake: () => void): () => void {
    const set = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, set);
    set.add(wake);
    return () => {
      set.delete(wake);
      if (set.size === 0 && this.#waiting.get(id) === set) this.#waiting.delete(id);
    };
  }

  changed(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }

  /** Changes may have been missed: everybody looks again. */
  allMayHaveChanged(): void {
    for (const set of this.#waiting.values()) for (const wake of set) wake();
  }
}

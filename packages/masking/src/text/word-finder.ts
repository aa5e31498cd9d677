/** Finds literal words; ASCII case means nothing, so that shouting one does not hide it. Aho–Corasick over UTF-16 units. */
import type { Span } from './span.ts';
import type { WordsRule } from './words-rule.ts';

interface Node {
  readonly next: Map<number, Node>;
  fail: Node | null;
  /** Words that end here, by length; a longer word's end includes those of its suffixes. */
  ends: { length: number; action: number }[];
}

const lower = (unit: number): number => (unit >= 0x41 && unit <= 0x5a ? unit + 32 : unit);

export class WordFinder {
  readonly #root: Node = { next: new Map(), fail: null, ends: [] };

  constructor(rules: readonly WordsRule[]) {
    for (const { words, action } of rules) {
      for (const word of words) {
        let node = this.#root;
        for (let i = 0; i < word.length; i++) {
          const unit = lower(word.charCodeAt(i));
          let next = node.next.get(unit);
          if (next === undefined) node.next.set(unit, (next = { next: new Map(), fail: null, ends: [] }));
          node = next;
        }
        node.ends.push({ length: word.length, action });
      }
    }
    const queue: Node[] = [...this.#root.next.values()];
    for (const node of queue) node.fail = this.#root;
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at]!;
      for (const [unit, next] of node.next) {
        let fail = node.fail;
        while (fail !== null && !fail.next.has(unit)) fail = fail.fail;
        next.fail = fail?.next.get(unit) ?? this.#root;
        next.ends = [...next.ends, ...next.fail.ends];
        queue.push(next);
      }
    }
  }

  find(text: string, spans: Span[]): void {
    let node: Node = this.#root;
    for (let i = 0; i < text.length; i++) {
      const unit = lower(text.charCodeAt(i));
      let next = node.next.get(unit);
      while (next === undefined && node.fail !== null) {
        node = node.fail;
        next = node.next.get(unit);
      }
      node = next ?? this.#root;
      for (const { length, action } of node.ends) spans.push({ start: i + 1 - length, end: i + 1, action });
    }
  }
}

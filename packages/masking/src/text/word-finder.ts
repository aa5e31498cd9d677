/** Finds literal words; ASCII case means nothing, so that shouting one does not hide it. Aho–Corasick over UTF-16 units. */
import type { Span } from './span.ts';
import type { WordsRule } from './words-rule.ts';
import type { Work } from './work.ts';

interface WordEnd {
  readonly length: number;
  readonly action: number;
}

interface Node {
  readonly next: Map<number, Node>;
  fail: Node | null;
  /** The longest word of each action that ends here, suffixes of longer ones included: one covers the shorter. */
  ends: readonly WordEnd[];
}

const lower = (unit: number): number => (unit >= 0x41 && unit <= 0x5a ? unit + 32 : unit);

/** Steps of a character, and of a word that ends at it. */
const stepsPerUnit = 4;
const stepsPerEnd = 4;

export class WordFinder {
  readonly #root: Node = { next: new Map(), fail: null, ends: [] };

  constructor(rules: readonly WordsRule[]) {
    for (const { words, action } of rules) for (const word of words) this.#add(word, action);
    const queue: Node[] = [...this.#root.next.values()];
    for (const node of queue) node.fail = this.#root;
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at]!;
      for (const [unit, next] of node.next) {
        let fail = node.fail;
        while (fail !== null && !fail.next.has(unit)) fail = fail.fail;
        next.fail = fail?.next.get(unit) ?? this.#root;
        next.ends = longestOf([...next.ends, ...next.fail.ends]);
        queue.push(next);
      }
    }
  }

  #add(word: string, action: number): void {
    let node = this.#root;
    for (let i = 0; i < word.length; i++) {
      const unit = lower(word.charCodeAt(i));
      let next = node.next.get(unit);
      if (next === undefined) node.next.set(unit, (next = { next: new Map(), fail: null, ends: [] }));
      node = next;
    }
    node.ends = longestOf([...node.ends, { length: word.length, action }]);
  }

  /** Adds a span for each occurrence; those of one action that overlap become one. Throws `OutOfSteps`. */
  find(text: string, work: Work, spans: Span[]): void {
    work.spend(stepsPerUnit * text.length);
    const first = spans.length;
    let node: Node = this.#root;
    for (let i = 0; i < text.length; i++) {
      const unit = lower(text.charCodeAt(i));
      let next = node.next.get(unit);
      while (next === undefined && node.fail !== null) {
        node = node.fail;
        next = node.next.get(unit);
      }
      node = next ?? this.#root;
      for (const { length, action } of node.ends) {
        work.spend(stepsPerEnd);
        const last = spans.length > first ? spans.at(-1)! : null;
        const start = i + 1 - length;
        if (last !== null && last.action === action && start < last.end) {
          last.end = i + 1;
          last.start = Math.min(last.start, start);
        } else spans.push({ start, end: i + 1, action });
      }
    }
  }
}

function longestOf(ends: readonly WordEnd[]): readonly WordEnd[] {
  const longest = new Map<number, WordEnd>();
  for (const end of ends) if (end.length > (longest.get(end.action)?.length ?? 0)) longest.set(end.action, end);
  return [...longest.values()];
}

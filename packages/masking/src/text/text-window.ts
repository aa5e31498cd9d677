/** Masks a text of any length in pieces; a tail is held back so that what crosses two pieces is found. */
import { NULL, REDACT } from '../actions/action.ts';
import type { Tally } from '../formats/machine.ts';
import type { TextRules } from './text-rules.ts';

/** Characters that are held back: more than any value that a detector finds. */
const tailLength = 16_384;
/** Characters that are looked at together. */
const windowLength = 32_768;

export class TextWindow {
  readonly #rules: TextRules | null;
  readonly #tally: Tally;
  readonly #context: number;
  #pending = '';

  constructor(rules: TextRules | null, tally: Tally, context: number) {
    this.#rules = rules;
    this.#tally = tally;
    this.#context = context;
  }

  /** Takes the next piece, gives what may go out. */
  push(text: string): string {
    if (this.#rules === null) return text;
    this.#pending += text;
    let out = '';
    while (this.#pending.length > windowLength + tailLength) out += this.#advance(windowLength + tailLength, windowLength);
    return out;
  }

  /** Lets out everything up to a place where no value can be cut (the end of a line, of a record). */
  flush(): string {
    let out = '';
    while (this.#pending.length > 0) out += this.#advance(this.#pending.length, this.#pending.length);
    return out;
  }

  finish(): string {
    return this.flush();
  }

  /** Characters that are held back. */
  get heldBack(): number {
    return this.#pending.length;
  }

  /** Looks at the first `length` characters and lets out those before `cut`, and what a find that crosses it covers. */
  #advance(length: number, cut: number): string {
    const text = this.#pending.slice(0, length);
    const spans = this.#rules!.find(text, this.#context);
    let end = cut;
    for (const span of spans) if (span.start < end && span.end > end) end = span.start > 0 ? span.start : span.end;
    // never between the halves of a surrogate pair
    if (end > 0 && end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end++;
    const within = spans.filter((span) => span.end <= end);
    this.#pending = this.#pending.slice(end);
    this.#tally.maskedCount += within.length;
    return (
      this.#rules!.replace(
        text.slice(0, end),
        within.map((span) => (span.action === NULL ? { ...span, action: REDACT } : span)),
      ).text ?? ''
    );
  }
}

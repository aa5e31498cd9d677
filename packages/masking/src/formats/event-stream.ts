/** Server-sent events (WHATWG HTML §9.2): each event is masked when it is complete; JSON in `data` like JSON. */
import { limits } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { LineSplitter, splitEnd } from './line-splitter.ts';
import { Malformed } from './machine.ts';
import type { Tally } from './machine.ts';
import { maskRunningText } from './plain-text.ts';
import type { TextMachine } from './text-machine.ts';

export class EventStream implements TextMachine {
  readonly #engine: Engine;
  readonly #tally: Tally;
  readonly #lines = new LineSplitter();
  #event: string[] = [];
  #length = 0;
  #read = 0;

  constructor(engine: Engine, tally: Tally) {
    this.#engine = engine;
    this.#tally = tally;
  }

  write(text: string): string {
    this.#read += text.length;
    let out = '';
    for (const line of this.#lines.push(text)) out += this.#line(line);
    this.#checkLength(this.#lines.pendingLength);
    // a CR ends an empty line, with any byte after it
    if (this.#lines.isAtCr) out += this.#endEvent();
    return out;
  }

  end(): string {
    const rest = this.#lines.end();
    if (rest !== '') this.#event.push(rest);
    return this.#endEvent();
  }

  #line(line: string): string {
    this.#event.push(line);
    this.#length += line.length;
    this.#checkLength(0);
    return splitEnd(line)[0] === '' ? this.#endEvent() : '';
  }

  #checkLength(more: number): void {
    if (this.#length + more > limits.text) throw new Malformed(this.#read, 'an event is too long');
  }

  #endEvent(): string {
    const lines = this.#event;
    this.#event = [];
    this.#length = 0;
    const data: string[] = [];
    for (const line of lines) {
      const [content] = splitEnd(line);
      if (content === 'data' || content.startsWith('data:')) data.push(valueOf(content));
    }
    const masked = data.length === 0 ? null : this.#maskData(data.join('\n'));
    let out = '';
    let isFirst = true;
    for (const line of lines) {
      const [content, end] = splitEnd(line);
      if (content === 'data' || content.startsWith('data:')) {
        if (masked === null) out += line;
        else if (isFirst)
          out += masked
            .split('\n')
            .map((one) => `data: ${one}${end === '' ? '\n' : end}`)
            .join('');
        isFirst = false;
      } else out += maskRunningText(this.#engine, this.#tally, content) + end;
    }
    return out;
  }

  /** Null: nothing changes. */
  #maskData(data: string): string | null {
    const { engine, tally } = { engine: this.#engine, tally: this.#tally };
    const nested = engine.maskNested(engine, tally, data, {
      state: engine.root,
      entry: engine.keys.first,
      nesting: 0,
      observer: engine.observer,
    });
    if (nested !== undefined) return nested;
    const masked = maskRunningText(engine, tally, data);
    return masked === data ? null : masked;
  }
}

/** The value after the colon and one space. */
function valueOf(content: string): string {
  const value = content.slice(5);
  return value.startsWith(' ') ? value.slice(1) : value;
}

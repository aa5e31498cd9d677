/**
 * A JSON string that is longer than what is looked at in one piece: masked in overlapping pieces, so that memory
 * stays bounded and nothing hides on a seam.
 */
import { NONE } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { latin1Text, utf8Bytes } from '../../bytes.ts';
import type { Collector } from '../../bytes.ts';
import type { Engine } from '../../engine.ts';
import type { Output } from '../../output.ts';
import type { Tally } from '../machine.ts';
import { TextWindow } from '../../text/text-window.ts';

const withoutQuotes = (text: string): Uint8Array => utf8Bytes(JSON.stringify(text).slice(1, -1));

export class LongString {
  readonly #window: TextWindow;

  /** Whether the string can only be masked whole: it has an action, or may be JSON. */
  static isWhole(engine: Engine, collected: Collector, action: Action): boolean {
    if (action !== NONE) return true;
    const start = latin1Text(collected.bytes, 1, 64);
    return engine.selects && /^(?:\s|\\[nrt]|\\u00(?:20|0a|0d|09))*(?:[{["]|\\["u])/i.test(start);
  }

  /** Null: the string is to be hidden whole. */
  static begin(engine: Engine, tally: Tally, collected: Collector, action: Action, context: number): LongString | null {
    if (LongString.isWhole(engine, collected, action)) return null;
    collected.drop(1);
    return new LongString(engine, tally, context);
  }

  private constructor(engine: Engine, tally: Tally, context: number) {
    this.#window = new TextWindow(engine.text, tally, context);
    this.#opened = false;
  }

  #opened: boolean;

  /** Lets out what is decided of the raw bytes collected so far, which end between two characters. */
  advance(collected: Collector, out: Output): void {
    if (!this.#opened) out.put(Uint8Array.of(0x22));
    this.#opened = true;
    out.put(withoutQuotes(this.#window.push(JSON.parse(`"${collected.text()}"`) as string)));
    collected.length = 0;
  }

  /** The rest, closing quote included. */
  finish(collected: Collector, out: Output): void {
    if (!this.#opened) out.put(Uint8Array.of(0x22));
    collected.length--;
    out.put(withoutQuotes(this.#window.push(JSON.parse(`"${collected.text()}"`) as string)));
    out.put(withoutQuotes(this.#window.finish()));
    out.put(Uint8Array.of(0x22));
  }
}

/** text/plain: what it is by look. APIs send JSON and XML under this name, and a text reader would miss their keys. */
import { utf8Bytes, utf8Text } from '../bytes.ts';
import type { Engine } from '../engine.ts';
import { Output } from '../output.ts';
import { JsonMachine } from './json/json-machine.ts';
import type { Tally } from './machine.ts';
import { Xml } from './markup/xml.ts';
import { Patience } from './patience.ts';
import { PlainText } from './plain-text.ts';
import type { TextMachine } from './text-machine.ts';

/** Characters after which a text has shown what it is. */
const enough = 64;
const maxHeld = 65_536;

const json = /^[\s\u{feff}]*(?:\{\s*(?:"|\})|\[[\s[]*(?:"|\{|\]))/u;
const xml = /^[\s\u{feff}]*<\?xml\s/u;
const undecided = /^[\s\u{feff}]*(?:\{\s*|\[[\s[]*|<|<\?|<\?x|<\?xm|<\?xml)?$/u;

export class SniffedText implements TextMachine {
  readonly #engine: Engine;
  readonly #tally: Tally;
  #held = '';
  readonly #patience = new Patience();
  #machine: TextMachine | null = null;

  constructor(engine: Engine, tally: Tally) {
    this.#engine = engine;
    this.#tally = tally;
  }

  write(text: string): string {
    if (this.#machine !== null) return this.#machine.write(text);
    this.#held += text;
    if (!this.#patience.isOver(this.#held.length)) return '';
    this.#patience.wait(this.#held.length);
    if (this.#held.length < maxHeld && this.#held.trimStart().length < enough && undecided.test(this.#held)) return '';
    return this.#open();
  }

  end(): string {
    return (this.#machine === null ? this.#open() : '') + this.#machine!.end();
  }

  #open(): string {
    const held = this.#held;
    this.#held = '';
    if (json.test(held)) this.#machine = jsonTextMachine(this.#engine, this.#tally);
    else if (xml.test(held)) this.#machine = new Xml(this.#engine, this.#tally);
    else this.#machine = new PlainText(this.#engine, this.#tally);
    return this.#machine.write(held);
  }
}

function jsonTextMachine(engine: Engine, tally: Tally): TextMachine {
  const out = new Output();
  const machine = new JsonMachine(engine, out, tally, { many: true, observer: engine.observer });
  const take = (): string => {
    const bytes = out.take();
    return bytes === null ? '' : utf8Text(bytes, 0, bytes.length);
  };
  let isStart = true;
  return {
    write(text) {
      // surrogate pairs never cross here: the charset decoder gives whole characters
      machine.write(utf8Bytes(isStart ? text.replace(/^\u{feff}/u, '') : text));
      isStart = false;
      return take();
    },
    end() {
      machine.end();
      return take();
    },
  };
}

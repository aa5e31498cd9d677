/** One named value, whole: the part of a form. */
import { limits } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { Malformed } from './machine.ts';
import type { Tally } from './machine.ts';
import { maskLeaf } from './mask-leaf.ts';
import type { TextMachine } from './text-machine.ts';

export class Field implements TextMachine {
  readonly #engine: Engine;
  readonly #tally: Tally;
  readonly #name: string;
  #text = '';

  constructor(engine: Engine, tally: Tally, name: string) {
    this.#engine = engine;
    this.#tally = tally;
    this.#name = name;
  }

  write(text: string): string {
    this.#text += text;
    if (this.#text.length > 4 * limits.text) throw new Malformed(this.#text.length, 'a field is too long');
    return '';
  }

  end(): string {
    const entry = this.#engine.keys.named(this.#name);
    return maskLeaf(this.#engine, this.#tally, this.#text, { state: this.#engine.root.member(entry), entry });
  }
}

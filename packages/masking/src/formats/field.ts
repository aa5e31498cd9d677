/** One named value, whole: the part of a form. */
import { NONE } from '../actions/action.ts';
import { limits } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { Malformed } from './machine.ts';
import type { Tally } from './machine.ts';
import { maskLeaf } from './mask-leaf.ts';
import { pathStep } from './path-step.ts';
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
    const engine = this.#engine;
    const entry = engine.keys.named(this.#name);
    const state = engine.root.member(entry);
    if (engine.observer !== null && state.action === NONE)
      engine.observer.see(this.#text, entry.context, () => `$${pathStep(entry.masked ?? entry.name)}`);
    return maskLeaf(engine, this.#tally, this.#text, { state, entry });
  }
}

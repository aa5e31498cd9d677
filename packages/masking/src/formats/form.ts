/** application/x-www-form-urlencoded (WHATWG URL §5.1): `user[email]=…` is selected like `{"user":{"email":…}}`. */
import { NONE, REMOVE } from '../actions/action.ts';
import { limits } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { Malformed } from './machine.ts';
import type { Tally } from './machine.ts';
import { maskLeaf } from './mask-leaf.ts';
import { pathStep } from './path-step.ts';
import type { TextMachine } from './text-machine.ts';

export class Form implements TextMachine {
  readonly #engine: Engine;
  readonly #tally: Tally;
  #pending = '';
  #isFirst = true;
  #read = 0;

  constructor(engine: Engine, tally: Tally) {
    this.#engine = engine;
    this.#tally = tally;
  }

  write(text: string): string {
    this.#read += text.length;
    // as long as no pair ends, what waits is not looked at
    const pairs = text.includes('&') ? (this.#pending + text).split('&') : null;
    this.#pending = pairs === null ? this.#pending + text : pairs.pop()!;
    if (this.#pending.length > limits.text) throw new Malformed(this.#read, 'a field is too long');
    if (pairs === null) return '';
    return pairs.map((one) => this.#pair(one)).join('');
  }

  end(): string {
    const last = this.#pair(this.#pending);
    this.#pending = '';
    return last;
  }

  #pair(pair: string): string {
    const masked = this.#mask(pair);
    if (masked === null) return '';
    const separator = this.#isFirst ? '' : '&';
    this.#isFirst = false;
    return separator + masked;
  }

  /** Null: the pair is removed. */
  #mask(pair: string): string | null {
    const engine = this.#engine;
    const equals = pair.indexOf('=');
    const rawName = equals < 0 ? pair : pair.slice(0, equals);
    const name = this.#decode(rawName);
    const entry = engine.keys.named(name);
    let state = engine.root.member(entry);
    let { action } = state;
    let last = entry;
    const steps = stepsOf(name);
    if (steps.length > 1) {
      let nested = engine.root;
      for (const step of steps) {
        if (step === '') nested = nested.someElement();
        else {
          last = engine.keys.named(step);
          const member = nested.member(last);
          // "0" may be a member or an element
          nested = /^\d+$/.test(step) ? engine.paths.union(member, nested.element(Number(step))) : member;
        }
        action = Math.max(action, nested.action);
      }
      state = nested;
    }
    if (action === REMOVE) {
      this.#tally.maskedCount++;
      return null;
    }
    let shownName = rawName;
    if (entry.masked !== null) {
      this.#tally.maskedCount++;
      shownName = encode(entry.masked);
    }
    if (equals < 0) return shownName;
    const raw = pair.slice(equals + 1);
    const value = this.#decode(raw);
    if (engine.observer !== null && action === NONE)
      engine.observer.see(value, entry.context === 0 ? last.context : entry.context, () => pathOf(name));
    const masked = maskLeaf(engine, this.#tally, value, { state, entry: entry.context === 0 ? last : entry, action });
    return `${shownName}=${masked === value && action === NONE ? raw : encode(masked)}`;
  }

  #decode(text: string): string {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      throw new Malformed(this.#read, 'a percent-encoding is not valid');
    }
  }
}

/** `user[email]`, `user.email`: two steps. `tags[]` is an element at some index, an empty step. */
function stepsOf(name: string): string[] {
  const steps = name.split(/\]\[|[[\].]/);
  // behind the last bracket
  if (name.endsWith(']')) steps.pop();
  return steps.filter((step, index) => step !== '' || index > 0);
}

/** `user[email]` is `$.user.email`; an element, or a name that is a value itself, becomes `[*]`. */
function pathOf(name: string): string {
  const steps = name.split(/[[\]]+/).flatMap((part) => {
    const isValue = pathStep(part) === '[*]';
    return part
      .split('.')
      .filter(Boolean)
      .map((step) => (isValue || /^\d+$/.test(step) ? '[*]' : pathStep(step)));
  });
  return `$${steps.length > 1 ? steps.join('') : pathStep(name)}`;
}

const encode = (text: string): string => encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+');

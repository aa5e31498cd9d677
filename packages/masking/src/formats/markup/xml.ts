/**
 * XML 1.0 in one pass. Elements and attributes are selected by their local names, as if the document were JSON; text
 * is looked at whole however CDATA sections, comments and references cut it. Entities of a document's own are refused.
 */
import { HASH, NONE, PARTIAL, REDACT, redacted, REMOVE, replaceText } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { limits } from '../../engine.ts';
import type { Engine } from '../../engine.ts';
import type { KeyEntry } from '../../rules/key-entry.ts';
import type { PathState } from '../../rules/path-automaton.ts';
import { Malformed } from '../machine.ts';
import type { Tally } from '../machine.ts';
import { maskLeaf } from '../mask-leaf.ts';
import { pathStep } from '../path-step.ts';
import { Patience } from '../patience.ts';
import { maskRunningText } from '../plain-text.ts';
import type { TextMachine } from '../text-machine.ts';
import { parseAttributes, tagEnd } from './attributes.ts';
import { decodeXml, escapeAttribute, escapeText } from './entities.ts';

interface Element {
  readonly name: string;
  readonly entry: KeyEntry;
  readonly state: PathState;
}

const maxToken = 4 * limits.text;
const nameOf = /^<\/?([A-Za-z_:\u00c0-\u{10ffff}][\w:.\-\u00b7-\u{10ffff}]*)/u;

export class Xml implements TextMachine {
  /** Elements that were opened; tells XML from text that only starts like it. */
  elements = 0;
  readonly #engine: Engine;
  readonly #tally: Tally;
  readonly #nesting: number;
  readonly #stack: Element[] = [];
  readonly #top: { readonly entry: KeyEntry; readonly state: PathState };
  #pending = '';
  readonly #patience = new Patience();
  #read = 0;
  /** Text since the last tag: as written, and what it says. */
  #runRaw = '';
  #run = '';
  /** Depth of the element that is masked whole; 0: none. */
  #muted = 0;
  #mutedAction: Action = NONE;
  #mutedText = '';
  #hasRoot = false;

  constructor(
    engine: Engine,
    tally: Tally,
    nesting = 0,
    top: { entry: KeyEntry; state: PathState } = { entry: engine.keys.first, state: engine.root },
  ) {
    this.#engine = engine;
    this.#tally = tally;
    this.#nesting = nesting;
    this.#top = top;
  }

  write(text: string): string {
    this.#read += text.length;
    this.#pending += text;
    return this.#patience.isOver(this.#pending.length) ? this.#advance() : '';
  }

  /** Reads the tokens that are complete. */
  #advance(): string {
    let out = '';
    let from = 0;
    for (;;) {
      const open = this.#pending.indexOf('<', from);
      if (open < 0) break;
      if (open > from) this.#addText(this.#pending.slice(from, open));
      const end = this.#tokenEnd(open);
      if (end < 0) {
        from = open;
        break;
      }
      out += this.#token(this.#pending.slice(open, end));
      from = end;
    }
    this.#pending = this.#pending.slice(from);
    this.#patience.wait(this.#pending.length);
    if (this.#pending.length > maxToken || this.#runRaw.length > maxToken || this.#mutedText.length > maxToken)
      this.#fail('a text or tag is too long');
    return out;
  }

  end(): string {
    const out = this.#advance();
    if (this.#pending.includes('<')) this.#fail('a tag does not end');
    this.#addText(this.#pending);
    this.#pending = '';
    if (this.#stack.length > 0) this.#fail('an element does not end');
    if (!this.#hasRoot) this.#fail('there is no element');
    return out + this.#endRun();
  }

  #fail(reason: string): never {
    throw new Malformed(this.#read, reason);
  }

  #tokenEnd(open: number): number {
    const text = this.#pending;
    if (text.startsWith('<!--', open)) return after(text, '-->', open + 4);
    if (text.startsWith('<![CDATA[', open)) return after(text, ']]>', open + 9);
    if (text.startsWith('<?', open)) return after(text, '?>', open + 2);
    if (text.length - open < 9 && '<![CDATA['.startsWith(text.slice(open))) return -1;
    return tagEnd(text, open + 1);
  }

  #token(token: string): string {
    if (token.startsWith('<!--')) {
      const comment = maskRunningText(this.#engine, this.#tally, token.slice(4, -3));
      // between pieces of text a comment is part of the run, so that it does not hide what it cuts
      if (this.#stack.length > 0) {
        this.#runRaw += `<!--${comment}-->`;
        return '';
      }
      return `${this.#endRun()}<!--${comment}-->`;
    }
    if (token.startsWith('<![CDATA[')) {
      if (this.#stack.length === 0) this.#fail('text stands outside the root element');
      this.#runRaw += token;
      this.#run += token.slice(9, -3);
      return '';
    }
    if (token.startsWith('<?')) {
      const declaration = /^<\?xml\s/.test(token)
        ? token.replace(/(encoding\s*=\s*["'])[^"']*/, '$1UTF-8')
        : `<?${maskRunningText(this.#engine, this.#tally, token.slice(2, -2))}?>`;
      return this.#endRun() + (this.#muted > 0 ? '' : declaration);
    }
    if (token.startsWith('<!')) {
      if (!/^<!DOCTYPE\s/i.test(token) || this.#hasRoot) this.#fail('a declaration stands where none may');
      if (token.includes('[')) this.#fail('the document declares entities of its own');
      return this.#endRun() + token;
    }
    return this.#endRun() + (token.startsWith('</') ? this.#close(token) : this.#open(token));
  }

  #addText(raw: string): void {
    if (raw === '') return;
    if (this.#stack.length === 0) {
      if (/[^\s\u{feff}]/u.test(raw)) this.#fail('text stands outside the root element');
      this.#runRaw += raw;
      return;
    }
    const text = decodeXml(raw);
    if (text === undefined) this.#fail('a reference is not one of XML');
    this.#runRaw += raw;
    this.#run += text;
  }

  #endRun(): string {
    const raw = this.#runRaw;
    const text = this.#run;
    this.#runRaw = '';
    this.#run = '';
    if (raw === '') return '';
    if (this.#muted > 0) {
      this.#mutedText += text;
      return '';
    }
    const top = this.#stack.at(-1);
    if (top === undefined || text.trim() === '') return raw;
    const masked = this.#maskText(text, top);
    return masked === text ? raw : escapeText(masked);
  }

  /** Text that is itself XML (a payload in a CDATA section) is masked as such. */
  #maskText(text: string, element: Element): string {
    if (this.#engine.selects && this.#nesting < limits.nesting && /^\s*<[?!A-Za-z_]/.test(text)) {
      const inner: Tally = { maskedCount: 0 };
      const machine = new Xml(this.#engine, inner, this.#nesting + 1, element);
      try {
        const masked = machine.write(text) + machine.end();
        this.#tally.maskedCount += inner.maskedCount;
        return inner.maskedCount === 0 ? text : masked;
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
      }
    }
    this.#observe(text, element.state.action, element.entry, null);
    return maskLeaf(this.#engine, this.#tally, text, element);
  }

  #open(token: string): string {
    const name = nameOf.exec(token)?.[1];
    if (name === undefined) this.#fail('a tag has no name');
    if (this.#stack.length >= limits.depth) this.#fail('the document is nested too deeply');
    if (this.#stack.length === 0 && this.#hasRoot) this.#fail('there is a second root element');
    this.#hasRoot = true;
    this.elements++;
    const isEmpty = token.endsWith('/>');
    const parsed = parseAttributes(token.slice(1 + name.length, isEmpty ? -2 : -1));
    if (parsed === null || parsed.attributes.some((one) => one.raw === null || one.quote === ''))
      this.#fail('an attribute is not well-formed');
    const entry = this.#engine.keys.named(name.slice(name.indexOf(':') + 1));
    const parent = this.#stack.at(-1)?.state ?? this.#top.state;
    // an element may repeat: any index after its name means every one of it
    const member = parent.member(entry);
    const state = this.#engine.paths.union(member, member.someElement());
    const element: Element = { name, entry, state };
    if (this.#muted > 0) {
      if (!isEmpty) this.#stack.push(element);
      return '';
    }
    const { action } = state;
    if (action !== NONE && isEmpty) {
      this.#tally.maskedCount++;
      if (action === REMOVE) return '';
    }
    let tag = `<${name}`;
    for (const one of parsed.attributes) tag += one.before + one.quote + this.#attribute(one.name, one.raw!, element, action) + one.quote;
    tag += parsed.rest + (isEmpty ? '/>' : '>');
    if (isEmpty) return tag;
    this.#stack.push(element);
    if (action === NONE) return tag;
    this.#muted = this.#stack.length;
    this.#mutedAction = action;
    this.#mutedText = '';
    return action === REMOVE ? '' : tag;
  }

  #attribute(name: string, raw: string, element: Element, elementAction: Action): string {
    const text = decodeXml(raw);
    if (text === undefined || raw.includes('<')) this.#fail('an attribute is not well-formed');
    if (/^xmlns(?::|$)/.test(name)) return raw;
    const entry = this.#engine.keys.named(name.slice(name.indexOf(':') + 1));
    const marked = element.state.member(this.#engine.keys.named(`@${name}`));
    const state = this.#engine.paths.union(element.state.member(entry), marked);
    const action = elementAction === NONE ? state.action : Math.max(state.action, REDACT);
    if (elementAction === NONE) this.#observe(text, state.action, entry, element);
    const masked = maskLeaf(this.#engine, this.#tally, text, { state, entry, action: action === REMOVE ? REDACT : action });
    return masked === text ? raw : escapeAttribute(masked);
  }

  /** @param parent element of an attribute, which is not on the stack yet; null for text */
  #observe(text: string, action: Action, entry: KeyEntry, parent: Element | null): void {
    const { observer } = this.#engine;
    // of a document inside another the whole path is not known here
    if (observer === null || action !== NONE || this.#nesting > 0) return;
    observer.see(text, entry.context, () => {
      const steps = this.#stack.map((element) => element.entry);
      if (parent !== null) steps.push(parent.entry, entry);
      return `$${steps.map(({ masked, name }) => pathStep(masked ?? name)).join('')}`;
    });
  }

  #close(token: string): string {
    const name = nameOf.exec(token)?.[1];
    const element = this.#stack.pop();
    if (name === undefined || element?.name !== name || !/^\s*>$/.test(token.slice(2 + name.length)))
      this.#fail('an end tag does not match its start tag');
    if (this.#muted === 0) return token;
    if (this.#stack.length >= this.#muted) return '';
    this.#muted = 0;
    this.#tally.maskedCount++;
    const action = this.#mutedAction;
    if (action === REMOVE) return '';
    const text =
      action === PARTIAL || action === HASH
        ? replaceText(action, this.#mutedText.trim(), this.#engine.hash)
        : action === REDACT
          ? redacted
          : '';
    this.#mutedText = '';
    return escapeText(text ?? '') + token;
  }
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? -1 : at + mark.length;
}

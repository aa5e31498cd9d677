/**
 * HTML as browsers cut it into tags and text, leniently. Key rules select form fields by `name`, `meta` by `name`,
 * and elements by `id`, `itemprop`, `name`, `data-*` and classes; JSON in scripts is masked like JSON.
 */
import { NONE, REDACT, redacted, REMOVE, replaceText } from '../../actions/action.ts';
import type { Action } from '../../actions/action.ts';
import { limits } from '../../engine.ts';
import type { Engine } from '../../engine.ts';
import { Malformed } from '../machine.ts';
import type { Tally } from '../machine.ts';
import { actionOfName, maskLeaf } from '../mask-leaf.ts';
import { Patience } from '../patience.ts';
import { maskRunningText } from '../plain-text.ts';
import type { TextMachine } from '../text-machine.ts';
import type { Attribute } from './attributes.ts';
import { decodeHtml, escapeAttribute, escapeText } from './entities.ts';
import { isSelfClosing, OpenElements, readTag, scriptEnd } from './html-tag.ts';
import type { HtmlTag } from './html-tag.ts';

const rawText = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext']);
const voidElements = new Set([
  'area',
  'base',
  'br',
  'col',
  'embed',
  'hr',
  'img',
  'input',
  'link',
  'meta',
  'param',
  'source',
  'track',
  'wbr',
]);
/** Tags that do not end a word: text goes on through them, so that they do not hide what they cut. */
const inline = new Set([
  'a',
  'abbr',
  'b',
  'bdi',
  'bdo',
  'big',
  'cite',
  'code',
  'data',
  'em',
  'font',
  'i',
  'ins',
  'kbd',
  'mark',
  'q',
  's',
  'samp',
  'small',
  'span',
  'strong',
  'sub',
  'sup',
  'time',
  'tt',
  'u',
  'var',
  'wbr',
]);
const naming = new Set(['name', 'id', 'itemprop', 'property', 'autocomplete', 'class', 'for', 'headers']);
const foreign = new Set(['svg', 'math', 'select']);
const maxToken = 2 * limits.text;

interface Piece {
  /** As written; for tags too. */
  raw: string;
  /** The text; null: a tag. */
  readonly text: string | null;
}

export class Html implements TextMachine {
  readonly #engine: Engine;
  readonly #tally: Tally;
  #pending = '';
  readonly #patience = new Patience();
  #read = 0;
  /** Text and inline tags since the last other tag. */
  #run: Piece[] = [];
  #runLength = 0;
  /** The element whose raw text we are in; null: none. */
  #raw: string | null = null;
  #rawIsJson = false;
  /** The element that is masked whole, and how many of its name are open in it. */
  #muted: OpenElements | null = null;
  /** Elements that are open in which a browser may not take for text what it does elsewhere: SVG, MathML, selects. */
  #foreignDepth = 0;
  /** The tag that `#tokenEnd` read. */
  #tag: HtmlTag | null = null;
  #mutedAction: Action = NONE;

  constructor(engine: Engine, tally: Tally) {
    this.#engine = engine;
    this.#tally = tally;
  }

  write(text: string): string {
    this.#read += text.length;
    this.#pending += text;
    if (!this.#patience.isOver(this.#pending.length)) return '';
    const out = this.#advance(false);
    this.#patience.wait(this.#pending.length);
    if (this.#pending.length > maxToken || this.#runLength > maxToken) throw new Malformed(this.#read, 'a text or tag is too long');
    return out;
  }

  end(): string {
    return this.#advance(true) + this.#endRun();
  }

  #advance(isLast: boolean): string {
    let out = '';
    let from = 0;
    const text = this.#pending;
    while (from < text.length) {
      if (this.#raw !== null) {
        const close = closeOf(text, this.#raw, from);
        if (close < 0) {
          if (isLast) {
            out += this.#rawContent(text.slice(from));
            from = text.length;
          }
          break;
        }
        out += this.#rawContent(text.slice(from, close));
        this.#raw = null;
        from = close;
        continue;
      }
      const open = text.indexOf('<', from);
      const stop = open < 0 ? text.length : open;
      if (stop > from) this.#addText(text.slice(from, stop));
      from = stop;
      if (open < 0) break;
      const end = this.#tokenEnd(text, open);
      if (end < 0) {
        if (!isLast) break;
        this.#addText(text.slice(open));
        from = text.length;
        break;
      }
      out += this.#token(text.slice(open, end));
      from = end;
    }
    this.#pending = text.slice(from);
    return out;
  }

  #tokenEnd(text: string, open: number): number {
    if (text.startsWith('<!--', open)) {
      const short = /^<!--(?:-?>)/.exec(text.slice(open, open + 6));
      if (short !== null) return open + short[0].length;
      const end = /--!?>/g;
      end.lastIndex = open + 4;
      const found = end.exec(text);
      return found === null ? -1 : found.index + found[0].length;
    }
    if (open + 1 >= text.length) return -1;
    // comments that are none, declarations
    if (/^<(?:[!?]|\/[^A-Za-z])/.test(text.slice(open, open + 3))) {
      if ('<!--'.startsWith(text.slice(open))) return -1;
      const end = text.indexOf('>', open);
      return end < 0 ? -1 : end + 1;
    }
    if (!/^<\/?[A-Za-z]/.test(text.slice(open, open + 3))) {
      if (text.length - open < 3 && /^<\/?$/.test(text.slice(open))) return -1;
      return open + 1;
    }
    this.#tag = readTag(text, open);
    return this.#tag?.end ?? -1;
  }

  #addText(raw: string): void {
    if (this.#muted !== null) return;
    this.#run.push({ raw, text: decodeHtml(raw) });
    this.#runLength += raw.length;
  }

  #token(token: string): string {
    if (token === '<') {
      this.#addText(token);
      return '';
    }
    const read = this.#tag;
    this.#tag = null;
    if (read === null) {
      if (this.#muted !== null) return '';
      // comments and declarations: within a run, so that they do not hide what they cut
      this.#run.push({
        raw: token.startsWith('<!--')
          ? `<!--${maskRunningText(this.#engine, this.#tally, token.slice(4).replace(/--!?>$/, ''))}-->`
          : maskRunningText(this.#engine, this.#tally, token),
        text: null,
      });
      this.#runLength += token.length;
      return '';
    }
    const { name } = read;
    const isEnd = token.startsWith('</');
    if (foreign.has(name) && !isSelfClosing(read)) this.#foreignDepth = Math.max(0, this.#foreignDepth + (isEnd ? -1 : 1));
    if (this.#muted !== null) return this.#inMuted(read, isEnd, token);
    if (isEnd) {
      if (!inline.has(name)) return this.#endRun() + token;
      this.#run.push({ raw: token, text: null });
      this.#runLength += token.length;
      return '';
    }
    const { tag, action } = this.#maskTag(read);
    const isVoid = voidElements.has(name) || isSelfClosing(read);
    if (action !== NONE && this.#foreignDepth > 0 && voidElements.has(name))
      throw new Malformed(this.#read, 'an element in SVG, MathML or a select cannot be told from one without content');
    if (action !== NONE && !isVoid) {
      const before = this.#endRun();
      this.#muted = new OpenElements(name);
      // its content is no markup, so that a tag in it ends nothing
      if (rawText.has(name)) this.#raw = name;
      this.#rawIsJson = false;
      this.#mutedAction = action;
      return before + (action === REMOVE ? '' : tag);
    }
    if (rawText.has(name)) {
      const before = this.#endRun();
      this.#raw = name;
      this.#rawIsJson = name === 'script' && /json|importmap|speculationrules/i.test(attributeOf(read.attributes, 'type') ?? '');
      return before + tag;
    }
    if (!inline.has(name)) return this.#endRun() + tag;
    this.#run.push({ raw: tag, text: null });
    this.#runLength += tag.length;
    return '';
  }

  #inMuted(read: HtmlTag, isEnd: boolean, token: string): string {
    const { name } = read;
    if (!isEnd) {
      if (rawText.has(name)) this.#raw = name;
      if (!voidElements.has(name) && !isSelfClosing(read)) this.#muted!.open(name, this.#named(read.attributes).action !== NONE);
      return '';
    }
    if (!this.#muted!.close(name)) return '';
    this.#muted = null;
    this.#tally.maskedCount++;
    if (this.#mutedAction === REMOVE) return '';
    return redacted + token;
  }

  /** The tag with its attributes masked, and what a rule says about the element's content. */
  #maskTag({ name, start, attributes, rest }: HtmlTag): { tag: string; action: Action } {
    const { action: named, context } = this.#named(attributes);
    let tag = start;
    for (const one of attributes) {
      const attribute = one.name.toLowerCase();
      const carries = attribute === 'value' || attribute === 'content' || attribute === 'placeholder';
      tag += one.before + this.#attribute(one, carries ? named : NONE, carries ? context : 0);
    }
    // a label or a form named like a field is no field
    const isContainer = name === 'form' || name === 'label' || name === 'html' || name === 'body' || name === 'head';
    return { tag: `${tag}${rest}>`, action: isContainer ? NONE : named };
  }

  /** Looks up the action of the rules for an element's names, and the hints that the names give about its value. */
  #named(attributes: readonly Attribute[]): { action: Action; context: number } {
    const engine = this.#engine;
    let action: Action = NONE;
    let context = 0;
    for (const one of attributes) {
      const attribute = one.name.toLowerCase();
      if (one.raw === null || (!naming.has(attribute) && !attribute.startsWith('data-'))) continue;
      for (const word of attribute === 'class' ? decodeHtml(one.raw).split(/\s+/) : [decodeHtml(one.raw)]) {
        const entry = engine.keys.named(word);
        action = Math.max(action, attribute === 'for' || attribute === 'headers' ? NONE : actionOfName(engine, entry));
        context |= entry.context;
      }
    }
    return { action, context };
  }

  #attribute(one: Attribute, named: Action, context: number): string {
    if (one.raw === null) return '';
    const engine = this.#engine;
    const text = decodeHtml(one.raw);
    const entry = engine.keys.named(one.name.toLowerCase().replace(/^data-/, ''));
    const own = actionOfName(engine, entry);
    const action = Math.max(named, own);
    let masked = maskLeaf(engine, this.#tally, text, { state: engine.root, entry, action });
    if (masked === text && action === NONE && context !== 0) masked = engine.text?.mask(text, context)?.text ?? text;
    if (masked === text && action === NONE) return one.quote + one.raw + one.quote;
    return `"${escapeAttribute(masked)}"`;
  }

  #rawContent(content: string): string {
    // there a browser may read tags, and the masker does not know when it has left these elements
    if (this.#foreignDepth > 0 && content.includes('<'))
      throw new Malformed(this.#read, 'markup in SVG, MathML or a select cannot be told from text');
    if (this.#muted !== null || content === '') return '';
    const engine = this.#engine;
    if (this.#rawIsJson) {
      const nested = engine.maskNested(engine, this.#tally, content, { state: engine.root, entry: engine.keys.first, nesting: 0 });
      if (nested !== undefined) return (nested ?? content).replaceAll('</', '<\\/');
    }
    if (this.#raw !== 'textarea' && this.#raw !== 'title') {
      const masked = maskRunningText(engine, this.#tally, content);
      // where the element is ignored, its content is text with references
      const decoded = decodeHtml(masked);
      const again = decoded === masked ? decoded : maskRunningText(engine, this.#tally, decoded);
      return again === decoded ? masked : escapeText(again);
    }
    const text = decodeHtml(content);
    const masked = maskRunningText(engine, this.#tally, text);
    return masked === text ? content : escapeText(masked);
  }

  /** Looks at the text of a run as a whole; what is found is replaced where it starts, and cut from the later pieces. */
  #endRun(): string {
    const run = this.#run;
    this.#run = [];
    this.#runLength = 0;
    if (run.length === 0) return '';
    const texts = run.filter((piece) => piece.text !== null);
    const whole = texts.map((piece) => piece.text).join('');
    if (whole.trim() === '') return run.map((piece) => piece.raw).join('');
    if (texts.length === 1) {
      const masked = maskRunningText(this.#engine, this.#tally, whole);
      return run.map((piece) => (piece.text === null || masked === whole ? piece.raw : escapeText(masked))).join('');
    }
    return this.#maskRun(run, whole);
  }

  #maskRun(run: readonly Piece[], whole: string): string {
    const spans = this.#engine.text?.find(whole, 0) ?? [];
    let out = '';
    let offset = 0;
    /** Spans before this one end before the piece. */
    let first = 0;
    for (const piece of run) {
      if (piece.text === null) {
        out += piece.raw;
        continue;
      }
      const end = offset + piece.text.length;
      while (first < spans.length && spans[first]!.end <= offset) first++;
      let next = first;
      while (next < spans.length && spans[next]!.start < end) next++;
      const within = spans.slice(first, next);
      if (within.length === 0) out += this.#pairs(piece);
      else {
        let at = offset;
        for (const span of within) {
          out += escapeText(whole.slice(at, Math.max(at, span.start)));
          if (span.start >= offset) {
            this.#tally.maskedCount++;
            out += escapeText(
              replaceText(
                span.action === REMOVE ? REMOVE : Math.min(span.action, REDACT),
                whole.slice(span.start, span.end),
                this.#engine.hash,
              ) ?? '',
            );
          }
          at = Math.min(end, span.end);
        }
        out += escapeText(whole.slice(at, end));
      }
      offset = end;
    }
    return out;
  }

  #pairs(piece: Piece): string {
    const masked = maskRunningText(this.#engine, this.#tally, piece.text!);
    return masked === piece.text ? piece.raw : escapeText(masked);
  }
}

function attributeOf(attributes: readonly Attribute[], name: string): string | null {
  return attributes.find((one) => one.name.toLowerCase() === name)?.raw ?? null;
}

/** Where the end tag of a raw-text element starts; -1: not yet. */
function closeOf(text: string, name: string, from: number): number {
  if (name === 'plaintext') return -1;
  if (name === 'script') return scriptEnd(text, from);
  const close = new RegExp(`</${name}(?=[\\s/>])`, 'gi');
  close.lastIndex = from;
  return close.exec(text)?.index ?? -1;
}

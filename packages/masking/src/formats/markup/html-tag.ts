/** Tags as browsers read them (WHATWG HTML §13.2.5.8 ff.): a quote means something only where a value begins. */
import type { Attribute } from './attributes.ts';

export interface HtmlTag {
  /** Lower case. */
  readonly name: string;
  /** The text before the attributes: "<" and the name as written. */
  readonly start: string;
  readonly attributes: readonly Attribute[];
  /** The text between the last attribute and ">". */
  readonly rest: string;
  /** Behind ">". */
  readonly end: number;
}

const nameEnd = /[\t\n\f\r />]/g;
const attributeNameEnd = /[\t\n\f\r />=]/g;
const unquotedEnd = /[\t\n\f\r >]/g;
const beforeAttribute = /[\t\n\f\r /]*/y;
const blanks = /[\t\n\f\r ]*/y;

const indexOf = (expression: RegExp, text: string, from: number): number => {
  expression.lastIndex = from;
  return expression.test(text) ? expression.lastIndex - 1 : -1;
};
const skip = (expression: RegExp, text: string, from: number): number => {
  expression.lastIndex = from;
  expression.test(text);
  return expression.lastIndex;
};

/** The tag that starts at `open`, where "<" or "</" and a letter stand; null: it is not whole yet. */
export function readTag(text: string, open: number): HtmlTag | null {
  const nameFrom = text[open + 1] === '/' ? open + 2 : open + 1;
  let at = indexOf(nameEnd, text, nameFrom);
  if (at < 0) return null;
  const start = text.slice(open, at);
  const name = text.slice(nameFrom, at).toLowerCase();
  const attributes: Attribute[] = [];
  for (;;) {
    const from = at;
    at = skip(beforeAttribute, text, at);
    if (at >= text.length) return null;
    if (text[at] === '>') return { name, start, attributes, rest: text.slice(from, at), end: at + 1 };
    const nameAt = at;
    // a "=" at the start is part of the name
    at = indexOf(attributeNameEnd, text, at + 1);
    if (at < 0) return null;
    const attribute = text.slice(nameAt, at);
    const equals = skip(blanks, text, at);
    if (equals >= text.length) return null;
    if (text[equals] !== '=') {
      attributes.push({ name: attribute, raw: null, before: text.slice(from, at), quote: '' });
      continue;
    }
    const value = skip(blanks, text, equals + 1);
    const quote = text[value];
    if (quote === undefined) return null;
    const isQuoted = quote === '"' || quote === "'";
    const valueFrom = isQuoted ? value + 1 : value;
    const valueEnd = isQuoted ? text.indexOf(quote, valueFrom) : indexOf(unquotedEnd, text, valueFrom);
    if (valueEnd < 0) return null;
    attributes.push({
      name: attribute,
      raw: text.slice(valueFrom, valueEnd),
      before: text.slice(from, value),
      quote: isQuoted ? quote : '',
    });
    at = isQuoted ? valueEnd + 1 : valueEnd;
  }
}

const scriptMark = /<!--|-->|<(\/?)script(?=[\t\n\f\r />])/gi;

/** Where the end tag of a script starts, whose content starts at `from`; -1: not yet. Within `<!--` a script may hold another (§13.2.5.20 ff.). */
export function scriptEnd(text: string, from: number): number {
  let isEscaped = false;
  let isDouble = false;
  scriptMark.lastIndex = from;
  for (let mark = scriptMark.exec(text); mark !== null; mark = scriptMark.exec(text)) {
    if (mark[0] === '<!--') {
      isEscaped = true;
      // "<!-->" is over at once
      scriptMark.lastIndex = mark.index + 2;
    } else if (mark[0] === '-->') isEscaped = isDouble = false;
    else if (mark[1] === '/') {
      if (!isDouble) return mark.index;
      isDouble = false;
    } else isDouble = isEscaped;
  }
  return -1;
}

/** Elements at which a browser stops to look for the start tag of an end tag (§13.2.4.2). */
const scopes = new Set(
  'applet caption html table td th marquee object template button select svg math foreignobject desc title mi mo mn ms mtext annotation-xml'.split(
    ' ',
  ),
);

/** End tags for which only these matter: a cell may end where another begins. */
const tableEnds = new Set(['table', 'td', 'th', 'caption']);
const tableScopes = new Set(['html', 'table', 'template']);

/** `<svg/>`: the only elements of which a browser takes it that they have no content. */
export const isSelfClosing = ({ name, rest }: HtmlTag): boolean => (name === 'svg' || name === 'math') && rest.endsWith('/');

/** Elements that a browser opens again behind the end of what they stand in (§13.2.4.3). */
const formatting = new Set('a b big code em font i nobr s small strike strong tt u'.split(' '));

const tableParts = new Set('caption col colgroup tbody td tfoot th thead tr'.split(' '));

interface OpenElement {
  readonly name: string;
  readonly isSelected: boolean;
}

/** The elements that are open within one that is masked whole, as far as they tell where it ends. */
export class OpenElements {
  #open: OpenElement[];

  constructor(name: string) {
    this.#open = [{ name, isSelected: true }];
  }

  /** `isSelected`: a rule names the element itself. */
  open(name: string, isSelected: boolean): void {
    if (isSelected || name === this.#open[0]!.name || scopes.has(name)) this.#open.push({ name, isSelected });
  }

  /** Whether the end tag ends all that is masked. */
  close(name: string): boolean {
    const blocking = tableEnds.has(name) ? tableScopes : scopes;
    let at = this.#open.length - 1;
    while (at > 0 && this.#open[at]!.name !== name && !blocking.has(this.#open[at]!.name)) at--;
    if (this.#open[at]!.name !== name) return false;
    const closed = this.#open.splice(at);
    this.#open.push(...closed.slice(1).filter((one) => one.isSelected && outlives(one.name, closed)));
    return this.#open.length === 0;
  }
}

/**
 * Whether an element goes on behind the end tag of those it stands in: formatting is opened again, an element of HTML
 * ends SVG and MathML, whose end tag then ends nothing, and outside of tables the tags of their parts mean nothing.
 */
function outlives(name: string, closed: readonly OpenElement[]): boolean {
  if (formatting.has(name) || closed.some((one) => one.name === 'svg' || one.name === 'math')) return true;
  return tableParts.has(closed[0]!.name) && !tableParts.has(name);
}

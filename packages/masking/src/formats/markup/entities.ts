/** Character references of XML and HTML. */

const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** The HTML names that stand for ASCII characters or spaces: those in which a value could hide. */
const html: Readonly<Record<string, string>> = {
  ...predefined,
  AMP: '&',
  LT: '<',
  GT: '>',
  QUOT: '"',
  nbsp: ' ',
  NonBreakingSpace: ' ',
  Tab: '\t',
  NewLine: '\n',
  excl: '!',
  num: '#',
  dollar: '$',
  percnt: '%',
  lpar: '(',
  rpar: ')',
  ast: '*',
  midast: '*',
  plus: '+',
  comma: ',',
  period: '.',
  sol: '/',
  colon: ':',
  semi: ';',
  equals: '=',
  quest: '?',
  commat: '@',
  lsqb: '[',
  lbrack: '[',
  bsol: '\\',
  rsqb: ']',
  rbrack: ']',
  Hat: '^',
  lowbar: '_',
  UnderBar: '_',
  grave: '`',
  DiacriticalGrave: '`',
  lcub: '{',
  lbrace: '{',
  verbar: '|',
  vert: '|',
  VerticalLine: '|',
  rcub: '}',
  rbrace: '}',
  dash: '\u2010',
  hyphen: '\u2010',
  shy: '',
  zwj: '',
  zwnj: '',
  ZeroWidthSpace: '',
  NoBreak: '',
  fjlig: 'fj',
  copy: '©',
  reg: '®',
  euro: '€',
  pound: '£',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  middot: '·',
};

/** Undefined: a reference that XML does not know. */
export function decodeXml(text: string): string | undefined {
  let isKnown = true;
  const decoded = text.replaceAll(
    /&(?:#(\d{1,10})|#x([0-9A-Fa-f]{1,8})|([A-Za-z_][\w.-]*));|&/g,
    (_, decimal?: string, hex?: string, name?: string) => {
      const found =
        name === undefined ? fromCode(decimal === undefined ? hex : decimal, decimal === undefined ? 16 : 10) : predefined[name];
      if (found === undefined) isKnown = false;
      return found ?? '';
    },
  );
  return isKnown ? decoded : undefined;
}

/** Names that browsers know without a semicolon, before any character (WHATWG HTML §13.5); those in which a value could hide. */
const legacy = /^(?:amp|AMP|lt|LT|gt|GT|quot|QUOT|nbsp|shy|copy|reg|pound|middot)/;

/** As browsers do: without semicolons too; what is not known stays as it is. */
export function decodeHtml(text: string): string {
  return text.replaceAll(
    /&(?:#0*(\d{1,8});?|#[xX]0*([0-9A-Fa-f]{1,7});?|([A-Za-z][A-Za-z0-9]*)(;?))/g,
    (whole: string, decimal?: string, hex?: string, name?: string, end?: string) => {
      if (name === undefined) return fromCode(decimal === undefined ? hex : decimal, decimal === undefined ? 16 : 10) ?? '\ufffd';
      const known = html[name] ?? html[name.toLowerCase()];
      if (known !== undefined) return known;
      const prefix = legacy.exec(name)?.[0];
      return prefix === undefined ? whole : html[prefix]! + name.slice(prefix.length) + end;
    },
  );
}

function fromCode(digits: string | undefined, radix: number): string | undefined {
  const code = digits === undefined ? Number.NaN : Number.parseInt(digits, radix);
  return code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : undefined;
}

export const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
export const escapeAttribute = (text: string): string => escapeText(text).replaceAll('"', '&quot;').replaceAll("'", '&#39;');

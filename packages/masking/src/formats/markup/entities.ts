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

/** As browsers do: without semicolons too; what is not known stays as it is. */
export function decodeHtml(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,10});?|#[xX]([0-9A-Fa-f]{1,8});?|([A-Za-z][A-Za-z0-9]*);?)/g,
    (whole: string, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return html[name] ?? html[name.toLowerCase()] ?? whole;
      return fromCode(decimal === undefined ? hex : decimal, decimal === undefined ? 16 : 10) ?? whole;
    },
  );
}

function fromCode(digits: string | undefined, radix: number): string | undefined {
  const code = digits === undefined ? Number.NaN : Number.parseInt(digits, radix);
  return code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : undefined;
}

export const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
export const escapeAttribute = (text: string): string => escapeText(text).replaceAll('"', '&quot;').replaceAll("'", '&#39;');

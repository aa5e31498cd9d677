/**
 * Parses a path pattern in the syntax of URLPattern's pathname (WHATWG URL Pattern Standard, §2 "Pattern strings":
 * tokenize, parse a pattern string), with `/` as delimiter and prefix.
 */

export type Modifier = '' | '?' | '*' | '+';

export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly modifier: Modifier }
  | {
      /** `segment`: one or more characters but `/`; `rest`: any characters; `regexp`: a custom pattern. */
      readonly kind: 'segment' | 'rest' | 'regexp';
      readonly name: string;
      readonly regexp: string;
      readonly prefix: string;
      readonly suffix: string;
      readonly modifier: Modifier;
    };

/** A pattern that cannot be used; the message is a sentence for the policy's author. */
export class PathPatternError extends Error {
  override readonly name = 'PathPatternError';
}

interface Token {
  readonly type: 'open' | 'close' | 'regexp' | 'name' | 'char' | 'escaped' | 'modifier' | 'asterisk' | 'end';
  readonly value: string;
  readonly index: number;
}

const identifierStart = /^[$_\p{ID_Start}]$/u;
const identifierPart = /^[$\u200c\u200d\p{ID_Continue}]$/u;

function tokenize(pattern: string): Token[] {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let i = 0; i < characters.length;) {
    const index = i;
    const character = characters[i++]!;
    const push = (type: Token['type'], value: string): void => void tokens.push({ type, value, index });
    if (character === '*') push('asterisk', '*');
    else if (character === '+' || character === '?') push('modifier', character);
    else if (character === '{') push('open', '{');
    else if (character === '}') push('close', '}');
    else if (character === '\\') {
      const escaped = characters[i++];
      if (escaped === undefined) throw new PathPatternError('ends with a lone backslash');
      push('escaped', escaped);
    } else if (character === ':') {
      let name = '';
      while (i < characters.length && (name === '' ? identifierStart : identifierPart).test(characters[i]!)) name += characters[i++]!;
      if (name === '') throw new PathPatternError(`has a ":" at character ${index + 1} that no name follows; write \\: for a colon`);
      push('name', name);
    } else if (character === '(') {
      const end = regexpEnd(characters, i);
      push('regexp', characters.slice(i, end).join(''));
      i = end + 1;
    } else push('char', character);
  }
  tokens.push({ type: 'end', value: '', index: characters.length });
  return tokens;
}

/** The index of the parenthesis that closes a custom regular expression. */
function regexpEnd(characters: readonly string[], start: number): number {
  let depth = 1;
  for (let i = start; i < characters.length; i++) {
    const character = characters[i]!;
    if (character > '\u007f') throw new PathPatternError('has a regular expression with a character outside ASCII');
    if (i === start && character === '?') throw new PathPatternError('has a regular expression that starts with "?"');
    if (character === '\\') {
      i++;
      if (i >= characters.length || characters[i]! > '\u007f') throw new PathPatternError('has a regular expression with a bad escape');
    } else if (character === ')') {
      if (--depth === 0) {
        if (i === start) throw new PathPatternError('has an empty regular expression');
        return i;
      }
    } else if (character === '(') {
      depth++;
      // capturing groups, and named ones, would shift the parameters
      if (characters[i + 1] !== '?' || characters[i + 2] === '<' || characters[i + 2] === 'P')
        throw new PathPatternError('has a regular expression with a capturing group; write (?:…)');
    }
  }
  throw new PathPatternError('has a regular expression that is not closed');
}

/** @throws PathPatternError */
export function parsePathPattern(pattern: string): readonly Part[] {
  const tokens = tokenize(pattern);
  const parts: Part[] = [];
  const names = new Set<string>();
  let next = 0;
  let numericName = 0;
  let pending = '';

  const take = (type: Token['type']): Token | undefined => (tokens[next]!.type === type ? tokens[next++] : undefined);
  const takeModifier = (): Modifier => ((take('modifier') ?? take('asterisk'))?.value ?? '') as Modifier;
  const takeText = (): string => {
    let text = '';
    for (let token = take('char') ?? take('escaped'); token !== undefined; token = take('char') ?? take('escaped')) text += token.value;
    return text;
  };
  const flush = (): void => {
    if (pending !== '') parts.push({ kind: 'text', text: encodeText(pending), modifier: '' });
    pending = '';
  };
  const takeMatcher = (): { name: Token | undefined; regexp: Token | undefined } => {
    const name = take('name');
    return { name, regexp: take('regexp') ?? (name === undefined ? take('asterisk') : undefined) };
  };
  const addPart = (prefix: string, { name, regexp }: ReturnType<typeof takeMatcher>, suffix: string, modifier: Modifier): void => {
    if (name === undefined && regexp === undefined) {
      if (modifier === '') {
        pending += prefix;
        return;
      }
      flush();
      if (prefix !== '') parts.push({ kind: 'text', text: encodeText(prefix), modifier });
      return;
    }
    flush();
    const value = regexp === undefined ? '' : regexp.type === 'asterisk' ? '.*' : regexp.value;
    const partName = name?.value ?? String(numericName++);
    if (names.has(partName)) throw new PathPatternError(`uses the name ${JSON.stringify(partName)} twice`);
    names.add(partName);
    const kind = value === '' || value === '[^\\/]+?' ? 'segment' : value === '.*' ? 'rest' : 'regexp';
    parts.push({ kind, name: partName, regexp: value, prefix: encodeText(prefix), suffix: encodeText(suffix), modifier });
  };

  while (next < tokens.length) {
    const character = take('char');
    const matcher = takeMatcher();
    if (matcher.name !== undefined || matcher.regexp !== undefined) {
      let prefix = character?.value ?? '';
      if (prefix !== '' && prefix !== '/') {
        pending += prefix;
        prefix = '';
      }
      addPart(prefix, matcher, '', takeModifier());
      continue;
    }
    const fixed = character ?? take('escaped');
    if (fixed !== undefined) {
      pending += fixed.value;
      continue;
    }
    if (take('open') !== undefined) {
      const prefix = takeText();
      const inner = takeMatcher();
      const suffix = takeText();
      if (take('close') === undefined) throw new PathPatternError(`has a group that is not closed at character ${tokens[next]!.index + 1}`);
      addPart(prefix, inner, suffix, takeModifier());
      continue;
    }
    flush();
    const token = take('end');
    if (token === undefined)
      throw new PathPatternError(
        `has a ${JSON.stringify(tokens[next]!.value)} at character ${tokens[next]!.index + 1} that modifies nothing`,
      );
  }
  return parts;
}

/** Decoded by the relay's normalisation where a client encoded them (packages/upstream/src/path.ts), so decoded here too. */
const decodedInPaths = /^[A-Za-z0-9_~!*'():@$,-]$/;

/**
 * Literal text as it stands in a normalised path: the path percent-encode set of the URL Standard (§1.3) and
 * everything outside ASCII are percent-encoded, in upper-case hexadecimal; what need not be encoded is not.
 */
function encodeText(text: string): string {
  const encoded = text.replace(/[\0-\u0020"#<>?^`{}\u007f-\u{10ffff}]+/gu, (part) =>
    Array.from(new TextEncoder().encode(part), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  return encoded.replace(/%[0-9a-f]{2}/gi, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return decodedInPaths.test(character) ? character : triplet.toUpperCase();
  });
}

/** Secrets without a form of their own: known by their key, by the name that they are assigned to, or by a sentence. */
import { AT, ASSIGN, COLON, SLASH, SPACE } from '../text/byte-classes.ts';
import { F_ASSIGN } from '../text/features.ts';
import type { Detector } from './detector.ts';
import { CONTEXT_PASSWORD, CONTEXT_SECRET, nameContext } from './key-context.ts';

/** Bits per character of the text's own distribution. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const placeholder =
  /^(?:<[^>]*>|\$\{[^}]*\}|\{\{[^}]*\}\}|\*+|x+|\.+|[a-z]+|[A-Z]+|true|false|null|none|n\/a|redacted|\[redacted\]|changeme|example)$/i;

/** Whether a value next to a telling key is a secret: long enough and too even for a word, a path or a URL. */
function isSecret(value: string): boolean {
  if (value.length < 12 || value.length > 4096 || /\s/.test(value) || placeholder.test(value)) return false;
  if (/^(?:https?|wss?|urn|arn):/i.test(value) || (/^[0-9]+$/.test(value) && value.length < 24)) return false;
  return entropy(value) >= (value.length < 20 ? 2.8 : 3.0) && (/[0-9]/.test(value) || (/[a-z]/.test(value) && /[A-Z]/.test(value)));
}

/** Letters alone: longer than the words that stand for a value that is not there. */
const isLetters = (value: string): boolean => /^(?:[a-z]{16,}|[A-Z]{16,})$/.test(value) && entropy(value) >= 3.5;

const part = { name: 'secret', summary: '', needsOneOf: 0, minDigits: 0, minWord: 0 };

const code = /^(?:`?\$\{.*|[A-Za-z_$]+\d?(?:\??\.[A-Za-z_$]+\d?)+[^A-Za-z0-9]{0,3}|[\w$.?]{1,80}\(.*)$/;
const identifier = /^([A-Za-z]?[a-z]+(?:[A-Z][a-z]+)+)[^A-Za-z0-9]{0,3}$/;

/** Whether the value is program code: a path of names, a call, words joined as in code. Random letters have more capitals. */
function isCode(value: string): boolean {
  const name = identifier.exec(value)?.[1];
  return code.test(value) || (name !== undefined && name.replaceAll(/[^A-Z]/g, '').length * 3.5 <= name.length);
}

const operator = /=>|[:=]/g;
const longestName = 80;
const isNameCode = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  code === 0x5f ||
  code === 0x2e ||
  code === 0x2d;
const value = /\s{0,3}["']?(?:(?:bearer|basic|token)\s{1,8})?([^\s"',;&<>]{6,})/dgiy;

/** The name that ends before an operator, quotes and a few blanks between: `stripeApiKey`, `db.password`, `"access_token"`. */
function nameBefore(text: string, at: number): string {
  let end = at;
  while (end > 0 && at - end < 3 && /\s/.test(text[end - 1]!)) end--;
  if (end > 0 && (text[end - 1] === '"' || text[end - 1] === "'")) end--;
  let start = end;
  while (start > 0 && end - start < longestName && isNameCode(text.charCodeAt(start - 1))) start--;
  return text.slice(start, end);
}

const assignedSecret: Detector = {
  ...part,
  minLength: 12,
  needs: ASSIGN,
  features: F_ASSIGN,
  contexts: CONTEXT_SECRET,
  find(text, context, found) {
    if ((context & CONTEXT_SECRET) !== 0) {
      const scheme = /^(?:bearer|basic|token|apikey)\s+/i.exec(text)?.[0].length ?? 0;
      const value = text.slice(scheme).trim();
      if (
        (context & CONTEXT_PASSWORD) !== 0
          ? value !== '' && !/^(?:true|false|null|\*+|\[redacted\])$/i.test(value)
          : isSecret(value) || isLetters(value)
      )
        return found(scheme, text.length);
    }
    for (operator.lastIndex = 0; operator.test(text);) {
      const { lastIndex } = operator;
      const told = nameContext(nameBefore(text, lastIndex - (text[lastIndex - 1] === '>' ? 2 : 1)));
      if ((told & CONTEXT_SECRET) === 0) continue;
      value.lastIndex = lastIndex;
      const match = value.exec(text);
      if (match === null) continue;
      const is = match[1]!;
      const isFound = (told & CONTEXT_PASSWORD) !== 0 ? !placeholder.test(is) || /[0-9]/.test(is) : isSecret(is) && !isCode(is);
      if (isFound) found(match.indices![1]![0], match.indices![1]![1]);
      operator.lastIndex = value.lastIndex;
    }
  },
};

const said =
  /(?<![\p{L}\p{N}])(password|passwort|passphrase|passcode|(?:(?:access|auth|refresh|api|bearer|session|secret)[ _-]?)?token|(?:api|access|secret|client|signing|private)[ _-]?(?:key|secret))(?:\s{1,3}(?:number|no\.?|code|value))?\s{1,3}(?:is|was|ist|lautet)(?:\s{0,3}:)?\s{0,3}["'“„]?([^\s"'“”„,;<>]{6,256})/dgiu;
const verb = /\s(?:is|was|ist|lautet)[\s:]/i;
const algorithm = /^(?:sha|md[45]|bcrypt|scrypt|pbkdf|argon|base|utf|aes|rsa)/i;

/** “the password is …”: with a digit among letters, or capitals that are not at the start, it is no word of the sentence. */
const saidSecret: Detector = {
  ...part,
  minLength: 12,
  needs: SPACE,
  features: 0,
  contexts: 0,
  find(text, _context, found) {
    if (!verb.test(text)) return;
    for (const match of text.matchAll(said)) {
      const value = match[2]!.replace(/[.!?)]+$/, '');
      const isWord = !(/[0-9]/.test(value) && /\p{L}/u.test(value)) && !/\p{L}\p{Lu}.*\p{Ll}|\p{Ll}.*\p{L}\p{Lu}/u.test(value);
      const start = match.indices![2]![0];
      const isPassword = /^pass/i.test(match[1]!);
      if (value.length >= 6 && !isWord && !algorithm.test(value) && (isPassword || (isSecret(value) && !isCode(value))))
        found(start, start + value.length);
    }
  },
};

/** User information of a URL (RFC 3986 §3.2.1), up to the last "@" of the authority. */
const userInfo = /(?<=[A-Za-z0-9+.-]):\/\/([^\s/?#@:"'<>\\]{0,256})(?::([^\s/?#"'<>\\]{1,256}))?@(?=[^\s@/?#])/dg;
const template = /^(?:<.*>?|\$\{?\w.*|\{\{?.*|%\w+%?|\*+|\.+|x+|\[redacted\])$/i;

/** `https://user:pass@host`: the password; `https://TOKEN@host`: the token. */
const urlPassword: Detector = {
  ...part,
  minLength: 8,
  needs: AT | COLON | SLASH,
  features: 0,
  contexts: 0,
  find(text, _context, found) {
    if (!text.includes('://')) return;
    for (const match of text.matchAll(userInfo)) {
      const password = match.indices![2];
      if (password !== undefined) {
        if (!template.test(match[2]!)) found(password[0], password[1]);
      } else if (isSecret(match[1]!)) found(match.indices![1]![0], match.indices![1]![1]);
    }
  },
};

export const secret: Detector = {
  ...assignedSecret,
  summary:
    'Values with much entropy next to a telling key or name (secret, token, api key), anything next to “password”, and passwords in URLs.',
  parts: [assignedSecret, saidSecret, urlPassword],
};

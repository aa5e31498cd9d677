/** Values without a form of their own: secrets, names and addresses, known by their key or by the words around them. */
import { ASSIGN, DIGIT, LOWER, SPACE, UPPER } from '../text/byte-classes.ts';
import { F_ASSIGN, F_STREET, F_TITLE } from '../text/features.ts';
import type { Detector } from './detector.ts';
import { CONTEXT_ADDRESS, CONTEXT_PASSWORD, CONTEXT_PERSON_NAME, CONTEXT_SECRET } from './key-context.ts';

/** Bits per character of the text's own distribution. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const placeholder = /^(?:<[^>]*>|\$\{[^}]*\}|\{\{[^}]*\}\}|\*+|x+|\.+|[a-z]+|[A-Z]+|true|false|null|none|n\/a|redacted|\[redacted\]|changeme|example)$/i;

/** Whether a value next to a telling key is a secret: long enough and too even for a word, a path or a URL. */
function isSecret(value: string): boolean {
  if (value.length < 12 || value.length > 4096 || /\s/.test(value) || placeholder.test(value)) return false;
  if (/^(?:https?|wss?|urn|arn):/i.test(value) || /^[0-9]+$/.test(value) && value.length < 24) return false;
  return entropy(value) >= (value.length < 20 ? 2.8 : 3.0) && (/[0-9]/.test(value) || (/[a-z]/.test(value) && /[A-Z]/.test(value)));
}

const assigned =
  /(?:^|[^A-Za-z0-9])((?:[A-Za-z0-9]{1,24}[_.-])?(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|apikey|access[_-]?key|auth[_-]?key|client[_-]?secret|private[_-]?key|credentials?|bearer|authorization))["']?\s{0,3}(?:=>|[:=])\s{0,3}["']?(?:(?:bearer|basic|token)\s+)?([^\s"',;&<>]{6,})/dgi;

export const secret: Detector = {
  name: 'secret',
  summary: 'Values with much entropy next to a telling key or name (secret, token, api key), and anything next to “password”.',
  needs: ASSIGN,
  needsOneOf: 0,
  minLength: 12,
  minDigits: 0,
  minWord: 0,
  features: F_ASSIGN,
  contexts: CONTEXT_SECRET,
  find(text, context, found) {
    if ((context & CONTEXT_SECRET) !== 0) {
      const scheme = /^(?:bearer|basic|token|apikey)\s+/i.exec(text)?.[0].length ?? 0;
      const value = text.slice(scheme).trim();
      if ((context & CONTEXT_PASSWORD) !== 0 ? value !== '' && !/^(?:true|false|null|\*+|\[redacted\])$/i.test(value) : isSecret(value)) return found(scheme, text.length);
    }
    for (const match of text.matchAll(assigned)) {
      const value = match[2]!;
      const isPassword = /pass|pwd/i.test(match[1]!);
      if (isPassword ? !placeholder.test(value) || /[0-9]/.test(value) : isSecret(value)) found(match.indices![2]![0], match.indices![2]![1]);
    }
  },
};

const titled = /(?<![\p{L}\p{N}])(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Herr|Frau|Mme|Mlle|Señora?|Sir|Madam)\.?\s+((?:\p{Lu}[\p{Ll}'’-]+|\p{Lu}\.)(?:\s+(?:(?:van|von|de|der|den|la|le|di|da)\s+)*(?:\p{Lu}[\p{L}'’-]+|\p{Lu}\.)){0,3})/dgu;
const nameValue = /^\s*[\p{L}\p{M}][\p{L}\p{M}'’.,\- ]{0,98}\s*$/u;

export const personName: Detector = {
  name: 'person_name',
  summary: 'Names of persons by the key that holds them, or after a title such as “Mrs”.',
  needs: UPPER | LOWER | SPACE,
  needsOneOf: 0,
  minLength: 5,
  minDigits: 0,
  minWord: 0,
  features: F_TITLE,
  contexts: CONTEXT_PERSON_NAME,
  find(text, context, found) {
    if ((context & CONTEXT_PERSON_NAME) !== 0 && nameValue.test(text)) return found(0, text.length);
    for (const match of text.matchAll(titled)) found(match.indices![1]![0], match.indices![1]![1]);
  },
};

const streetWords = 'St|Street|Ave|Avenue|Blvd|Boulevard|Rd|Road|Ln|Lane|Dr|Drive|Ct|Court|Way|Pl|Place|Ter|Terrace|Pkwy|Parkway|Cir|Circle|Hwy|Highway|Sq|Square|Close|Crescent|Grove|Mews|Row|Walk';
const english = new RegExp(
  `(?<![0-9A-Za-z])[0-9]{1,6}[A-Za-z]?\\s+(?:[NSEW]{1,2}\\.?\\s+)?(?:(?:\\p{Lu}[\\p{L}'’.-]*|[0-9]{1,3}(?:st|nd|rd|th))\\s+){1,4}(?:${streetWords})(?![\\p{L}])\\.?(?:,?\\s+(?:Apt|Suite|Ste|Unit|Floor|Fl|#)\\.?\\s*#?[0-9A-Za-z-]{1,6})?(?:,\\s*\\p{Lu}[\\p{L} .'-]{1,30},\\s*[A-Z]{2}\\s+[0-9]{5}(?:-[0-9]{4})?)?`,
  'gu',
);
const continental = /(?<![\p{L}])(?:\p{Lu}[\p{L}.-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|ufer|damm|straat|laan)|(?:rue|avenue|boulevard|place|via|piazza|calle|avenida|plaza|rua)\s+(?:(?:de|du|des|la|le|les|di|del|della|da|do)\s+)*\p{Lu}[\p{L}' -]{1,40}?)\s*,?\s*[0-9]{1,4}[a-z]?(?![0-9A-Za-z])/giu;
const frenchOrder = /(?<![0-9A-Za-z])[0-9]{1,4}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|boulevard|place|allée|chemin|impasse|quai)\s+(?:(?:de|du|des|la|le|les|l'|d')\s*)*\p{Lu}[\p{L}'-]+(?:\s+\p{Lu}[\p{L}'-]+){0,3}/gu;
const addressValue = /^(?=.*[\p{L}\p{N}])[\p{L}\p{N}\p{M}\s.,'’#/()\-&°º:]{3,200}$/u;

export const postalAddress: Detector = {
  name: 'postal_address',
  summary: 'Postal addresses by the key that holds them, or by a street and a number as they are written in English, German, French, Spanish, Italian.',
  needs: DIGIT | LOWER | SPACE,
  needsOneOf: 0,
  minLength: 8,
  minDigits: 1,
  minWord: 0,
  features: F_STREET,
  contexts: CONTEXT_ADDRESS,
  find(text, context, found) {
    if ((context & CONTEXT_ADDRESS) !== 0 && addressValue.test(text) && !/^(?:https?:|0x)/i.test(text)) return found(0, text.length);
    for (const pattern of [english, continental, frenchOrder]) for (const match of text.matchAll(pattern)) found(match.index, match.index + match[0].length);
  },
};

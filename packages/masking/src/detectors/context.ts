/** Names and addresses, which have no form of their own: known by their key or by the words around them. */
import { DIGIT, LOWER, SPACE, UPPER } from '../text/byte-classes.ts';
import { F_STREET, F_TITLE } from '../text/features.ts';
import type { Detector } from './detector.ts';
import { CONTEXT_ADDRESS, CONTEXT_PERSON_NAME } from './key-context.ts';

/** Characters of a text that is a name or an address as a whole, blanks around it included. */
const longestValue = 256;

const titled =
  /(?<![\p{L}\p{N}])(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Herr|Frau|Mme|Mlle|Señora?|Sir|Madam)\.?\s{1,4}((?:\p{Lu}[\p{Ll}'’-]+|\p{Lu}\.)(?:\s{1,4}(?:(?:van|von|de|der|den|la|le|di|da)\s{1,4}){0,4}(?:\p{Lu}[\p{L}'’-]+|\p{Lu}\.)){0,3})/dgu;
const words = "\\p{Lu}[\\p{L}'’-]{1,60}";
const notPersons =
  'Sirs?|Madam|Customers?|Valued|Team|All|Everyone|Friends?|Colleagues?|Users?|Members?|Clients?|Partners?|Hiring|Support|Mr|Mrs|Ms|Dr|Prof|The|Your|Our';
/** How a letter begins and ends. */
const addressed = new RegExp(
  `(?<![\\p{L}\\p{N}])Dear\\s{1,4}((?!(?:${notPersons})\\b)${words}(?:\\s{1,4}${words}){0,3})(?=\\s{0,4}(?:[,:!\\n]|$))`,
  'dgu',
);
const signed = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:(?:(?:Kind|Best|Warm)(?:est)?\\s+)?[Rr]egards|Best wishes|(?:Yours\\s+)?[Ss]incerely(?:\\s+yours)?|Yours\\s+(?:truly|faithfully)|Signed(?:\\s+by)?)(?:\\s{0,4}[,:])?\\s{0,4}((?!(?:${notPersons})\\b)${words}(?:\\s{1,4}(?:${words}|\\p{Lu}\\.)){1,3})(?=\\s{0,4}(?:[.,\\n]|$))`,
  'dgu',
);
const organisation = /\b(?:Team|Support|Department|Sales|Billing|Service|Services|Inc|Ltd|LLC|GmbH|AG|SA|Company|Bank|Group)$/;
const nameValue = /^\s*[\p{L}\p{M}][\p{L}\p{M}'’.,\- ]{0,98}\s*$/u;

export const personName: Detector = {
  name: 'person_name',
  summary: 'Names of persons by the key that holds them, after a title such as “Mrs”, or where a letter begins or ends.',
  needs: UPPER | LOWER | SPACE,
  needsOneOf: 0,
  minLength: 5,
  minDigits: 0,
  minWord: 0,
  features: F_TITLE,
  contexts: CONTEXT_PERSON_NAME,
  find(text, context, found) {
    if ((context & CONTEXT_PERSON_NAME) !== 0 && text.length <= longestValue && nameValue.test(text)) return found(0, text.length);
    for (const pattern of [titled, addressed, signed]) {
      for (const match of text.matchAll(pattern)) if (!organisation.test(match[1]!)) found(match.indices![1]![0], match.indices![1]![1]);
    }
  },
};

const streetWords =
  'St|Street|Ave|Avenue|Blvd|Boulevard|Rd|Road|Ln|Lane|Dr|Drive|Ct|Court|Way|Pl|Place|Ter|Terrace|Pkwy|Parkway|Cir|Circle|Hwy|Highway|Sq|Square|Close|Crescent|Grove|Mews|Row|Walk';
/** As they are written in addresses in capitals; others are words of any such text. */
const capitalWords = 'ST|STREET|AVE|AVENUE|BLVD|BOULEVARD|RD|ROAD|LN|LANE|DR|DRIVE|CT|PL|PKWY|PARKWAY|HWY|HIGHWAY|TER|CIR';
const english = new RegExp(
  `(?<![0-9A-Za-z])[0-9]{1,6}[A-Za-z]?\\s{1,4}(?:[NSEW]{1,2}\\.?\\s{1,4})?(?:(?:\\p{Lu}[\\p{L}'’.-]{0,40}|[0-9]{1,3}(?:st|nd|rd|th))\\s{1,4}){1,4}(?:${streetWords}|${capitalWords})(?![\\p{L}])\\.?(?:,?\\s{1,4}(?:Apt|APT|Suite|SUITE|Ste|STE|Unit|UNIT|Floor|Fl|FL|#)\\.?\\s{0,4}#?[0-9A-Za-z-]{1,6})?(?:(?:,\\s{0,4}|\\s{1,4})\\p{Lu}[\\p{L} .'-]{1,30},\\s{0,4}[A-Z]{2}\\s{1,4}[0-9]{5}(?:-[0-9]{4})?)?`,
  'gu',
);
/** Endings of street names that are written in one word; group 1 is the whole word, up to 40 letters before the ending. */
const streetEndings = 'straße|strasse|str\\.|weg|platz|allee|gasse|ufer|damm|straat|laan';
const particles = 'de|du|des|la|le|les|di|del|della|da|do';
const oneWord = new RegExp(
  `(?:${streetEndings})(?<=(?<![\\p{L}])(\\p{Lu}[\\p{L}.-]{0,40}(?:${streetEndings})))\\s{0,4},?\\s{0,4}[0-9]{1,4}[a-z]?(?![0-9A-Za-z])`,
  'dgiu',
);
const continental = new RegExp(
  `(?<![\\p{L}])(?:rue|avenue|boulevard|place|via|piazza|calle|avenida|plaza|rua)\\s{1,4}(?:(?:${particles})\\s{1,4}){0,6}\\p{Lu}[\\p{L}' -]{1,40}?\\s{0,4},?\\s{0,4}[0-9]{1,4}[a-z]?(?![0-9A-Za-z])`,
  'giu',
);
const frenchOrder =
  /(?<![0-9A-Za-z])[0-9]{1,4}(?:\s?(?:bis|ter))?,?\s{1,4}(?:rue|avenue|boulevard|place|allée|chemin|impasse|quai)\s{1,4}(?:(?:de|du|des|la|le|les|l'|d')\s{0,4}){0,6}\p{Lu}[\p{L}'-]{1,60}(?:\s{1,4}\p{Lu}[\p{L}'-]{1,60}){0,3}/gu;
const town = "\\p{Lu}[\\p{L}.'-]{1,60}(?:\\s{1,4}\\p{Lu}[\\p{L}.'-]{1,60}){0,3}";
const postBox = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:P\\.?\\s?O\\.?\\s?B(?:ox|OX)|Post Office Box|Postfach|Apartado(?:\\s{1,4}(?:de\\s{1,4}[Cc]orreos|[Pp]ostal))?|Bo[iî]te\\s{1,4}[Pp]ostale|Casella\\s{1,4}[Pp]ostale)\\s{1,4}#?[0-9]{1,6}(?:\\s[0-9]{2,3}){0,2}(?![0-9])(?:(?:,\\s{0,4}|\\s{1,4}(?=\\p{Lu}[\\p{L} .'-]{1,30},\\s{0,4}[A-Z]{2}\\s[0-9]{5}))${town}(?:,\\s{0,4}[A-Z]{2}\\s{1,4}[0-9]{5}(?:-[0-9]{4})?)?)?`,
  'gu',
);
const british = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:Flat|Apartment|Apt\\.?)\\s{1,4}[0-9]{1,4}[A-Za-z]?,\\s{1,4}(?:[0-9]{1,4}[A-Za-z]?\\s{1,4})?${town}`,
  'gu',
);
const addressValue = /^(?=.*[\p{L}\p{N}])[\p{L}\p{N}\p{M}\s.,'’#/()\-&°º:]{3,200}$/u;

export const postalAddress: Detector = {
  name: 'postal_address',
  summary:
    'Postal addresses by the key that holds them, or by a street and a number, a flat or a post office box as they are written in English, German, French, Spanish, Italian.',
  needs: DIGIT | SPACE,
  needsOneOf: LOWER | UPPER,
  minLength: 8,
  minDigits: 1,
  minWord: 0,
  features: F_STREET,
  contexts: CONTEXT_ADDRESS,
  goesOverLines: true,
  find(text, context, found) {
    if ((context & CONTEXT_ADDRESS) !== 0 && text.length <= longestValue && addressValue.test(text) && !/^(?:https?:|0x)/i.test(text))
      return found(0, text.length);
    for (const pattern of [english, continental, frenchOrder, postBox, british])
      for (const match of text.matchAll(pattern)) found(match.index, match.index + match[0].length);
    for (const match of text.matchAll(oneWord)) found(match.indices![1]![0], match.index + match[0].length);
  },
};
